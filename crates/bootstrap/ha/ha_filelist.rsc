# Which files of this router a sync carries, in either way, as a condition for /file find; and what it leaves behind, said.
# Left alone on both: files of HA, packages (the next start would install them), other disks, databases that are in use, and
# what a router runs when it comes by FTP.
:global haDir
:global haCarried ("type!=\"disk\" and type!=\"package\" and !(name~\"^(flash/)*(HA_|user-manager|dude)\") and !(name~\"[.]npk\") and !(name~\"[.]auto[.]\") and !(name~\"^(disk|usb|sd|nvme|sata|pcie|tmp)[0-9]\")")
# a file outside flash/ is gone with the standby's next start
:if ([:len $haDir] > 0) do={ :set haCarried ($haCarried . " and name~\"^flash/\"") }
:global haFileList ""
:local say do={
  :global haFileList
  :local asked [:parse (":return [:len [/file find where " . $find . "]]")]
  :local count [$asked]
  :if ($count > 0) do={ :set haFileList ($haFileList . "NOT CARRIED: " . $count . " " . $what . "\n") }
}
$say find="name~\"[.]npk\" or type=\"package\"" what="packages: stage them on each router"
$say find="name~\"[.]auto[.]\"" what="files named .auto.rsc or the like, which the standby would run as they come"
$say find="name~\"^(disk|usb|sd|nvme|sata|pcie|tmp)[0-9]+/\"" what="files on other disks"
$say find="name~\"^(flash/)*(user-manager|dude)\"" what="files of user-manager or The Dude: save and load them by their own commands"
:if ([:len $haDir] > 0) do={ $say find="!(name~\"^(flash|HA_)\")" what="files outside flash/, which no restart of this board leaves" }
