"""Who somebody is: passwords, tokens, sign-ins, throttling."""
