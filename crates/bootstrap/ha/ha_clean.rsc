# Takes away what a push lays down in clear: the HA password, an export with every secret, scripts, private host keys.
# A push does it at its end, whatever the end was; a start, a check and ha_watch do it for one that nobody ended.
:foreach item in=[/file find name~"^(flash/)*HA_(restore-backup|quiet|scripts|key_)"] do={
  :do { /file remove $item } on-error={}
}
