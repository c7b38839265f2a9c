"""What operators see of the instances of sagas, over HTTP and on the command line alike."""
