"""What tests are told with: processes to run against, histories to begin from."""
