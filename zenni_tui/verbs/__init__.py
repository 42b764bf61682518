"""What each verb of the command line does, headless or by opening the screen."""
