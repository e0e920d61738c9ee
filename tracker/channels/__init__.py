"""How an effect leaves the house: mail by SMTP, files in a Maildir, tasks for people. One file each."""
