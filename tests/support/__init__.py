"""What tests share: processes to run against, histories to begin from, waits."""
