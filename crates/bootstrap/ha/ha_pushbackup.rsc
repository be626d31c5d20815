# On the active: sends its configuration as a backup to the standby, which loads it and reboots.
/system script run ha_config
:global isMaster
:global haPassword
:global haInterface
:global haMacOther
:global haWriteFile
:global haUpload
:if (!$isMaster) do={ :error "ha_pushbackup: NOT MASTER, nothing pushed" }
/system script run ha_setconfigver
:global haMasterConfigVer
:put "ha_pushbackup: saving"
$haWriteFile fileName="HA_run-after-hastartup" fileText=":global haConfigVer \"$haMasterConfigVer\"\n"
# The restore proves on its own line that it runs on the router that it is meant for.
:local guard ("[:tostr [/interface ethernet get [find default-name=\"" . $haInterface . "\"] orig-mac-address]] = \"" . $haMacOther . "\"")
:local load ("/system backup load name=\"HA_b2s.backup\" password=\"" . $haPassword . "\"")
$haWriteFile fileName="HA_restore-backup" fileText=(":delay 2\n:if (" . $guard . ") do={" . $load . "}\n")
/system backup save name="HA_b2s" password=$haPassword
:delay 2
:put "ha_pushbackup: transferring"
:foreach item in=[/file find] do={
  :local path [/file get $item name]
  :local kind [:tostr [/file get $item type]]
  # directories stay behind, and a staged package would be installed by the standby's next boot
  :if (([:pick $path 0 3] != "HA_") and ($kind != "directory") and ($kind != "disk") and ($kind != "package") and ([:typeof [:find $path "/"]] = "nil")) do={
    :do { $haUpload fileFrom=$path fileTo=$path } on-error={ :put "ha_pushbackup: $path was not copied" }
  }
}
$haUpload fileFrom="HA_b2s.backup" fileTo="HA_b2s.backup"
$haUpload fileFrom="HA_run-after-hastartup.txt" fileTo="HA_run-after-hastartup.rsc"
:do { $haUpload fileFrom="HA_restore-backup.txt" fileTo="HA_restore-backup.auto.rsc" } on-error={ :put "ha_pushbackup: the standby went away during the last transfer, as it may" }
# it holds the HA password
/file remove [find name="HA_restore-backup.txt"]
:put "ha_pushbackup: pushed"
