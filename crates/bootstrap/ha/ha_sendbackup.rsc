# The way of a backup: complete, and from the standby's next start until its boot job its ports speak with the active's MACs.
:global haInterface
:global haMacOther
:global haSecret
:global haWriteFile
:global haUpload
:global haUploadLast
:global haDir
:global haQuote
:global haPadding
:global haMasterConfigVer
:global haPushWhy
:local secret [$haSecret]
# The restore proves on its own line that it runs on the router that it is meant for.
:local guard ("[:tostr [/interface ethernet get [find default-name=\"" . $haInterface . "\"] orig-mac-address]] = \"" . $haMacOther . "\"")
:local load ("/system backup load name=\"" . $haDir . "HA_b2s.backup\" password=\"" . $secret . "\"")
# Which version it is, said by the standby's own line that makes it so, and by nothing before.
:local claim ("/file set [find name=\"" . $haDir . "HA_run-after-hastartup.rsc\"] contents=" . [$haQuote text=(":global haConfigVer " . [$haQuote text=$haMasterConfigVer])])
:set claim (":do {" . $claim . "} on-error={}")
# A backup that is refused leaves what was there, which is none.
:local none ("/file set [find name=\"" . $haDir . "HA_run-after-hastartup.rsc\"] contents=\":global haConfigVer \\\"\\\"\"")
:set load (":do {" . $load . "} on-error={" . $none . "; :log error \"HA: the backup of the active was refused\"}")
/system backup save name=($haDir . "HA_b2s") password=$secret
:delay 2
$haUpload fileFrom=($haDir . "HA_b2s.backup") fileTo=($haDir . "HA_b2s.backup")
:local date [/system clock get date]
:local time [/system clock get time]
:local clock ("/system clock set date=" . $date . " time=" . $time)
# It holds the HA password: written last, and ha_pushbackup takes it away whatever comes.
$haWriteFile fileName="HA_restore-backup" fileText=("/file remove [find name=\"HA_restore-backup.auto.rsc\"]\n" . $clock . "\n:delay 2\n:if (" . $guard . ") do={" . $claim . "; " . $load . "}\n" . $haPadding)
:local sent [$haUploadLast fileFrom="HA_restore-backup.txt" fileTo="HA_restore-backup.auto.rsc"]
:if (!$sent) do={
  :set haPushWhy "the standby is there and does not take the last file"
  :error "ha_sendbackup: $haPushWhy"
}
