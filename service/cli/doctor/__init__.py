"""`foldstream doctor`: whether a deployment is as it should be before it is relied on."""
