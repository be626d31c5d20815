# On the active: gives its configuration to the standby, in the pair's way, whatever the standby has now.
/system script run ha_config
:global isMaster
:global haSync
:global haAnswer
:global haAnswerWhy
:global haField
:global haWriteFile
:global haUpload
:global haDir
# two at once, a person's and the check's, would take each other's files away
:if ([:len [/system script job find script="ha_pushbackup"]] > 1) do={ :error "ha_pushbackup: a push is under way already, nothing pushed" }
:if (!$isMaster) do={ :error "ha_pushbackup: NOT MASTER, nothing pushed" }
/system script run ha_macs
/system script run ha_ask
:if ([:len $haAnswer] = 0) do={ :error "ha_pushbackup: nothing pushed, the other router does not answer: $haAnswerWhy" }
# Neither way may cross versions or models.
:local version [/system resource get version]
:local board [/system resource get board-name]
:if ([$haField text=$haAnswer key="ros"] != $version) do={
  :error ("ha_pushbackup: nothing pushed, RouterOS differs: " . $version . " here, " . [$haField text=$haAnswer key="ros"] . " there")
}
:if ([$haField text=$haAnswer key="board"] != $board) do={
  :error ("ha_pushbackup: nothing pushed, the model differs: " . $board . " here, " . [$haField text=$haAnswer key="board"] . " there")
}
:if ([$haField text=$haAnswer key="role"] = "active") do={
  :error "ha_pushbackup: nothing pushed, the other router is active too"
}
/system script run ha_setconfigver
:global haMasterConfigVer
# What a push that broke left behind goes first.
/system script run ha_clean
:global haPushWhy "the standby stopped taking files"
:local broken true
:do {
  # The standby may start again at any moment: it has no version until the last file, which names it.
  $haWriteFile fileName="HA_run-after-hastartup" fileText=":global haConfigVer \"\"\n"
  :put "ha_pushbackup: transferring"
  /file remove [find name="HA_lacking.txt"]
  # as they are before they go: what changes meanwhile has changed
  :global haFileStamps "unknown"
  /system script run ha_changed
  /system script run ha_sendfiles
  # SSH host keys: what there is, by whatever names this version gives them
  :do {
    /ip ssh export-host-key key-file-prefix="HA_key"
    :delay 1
    :foreach key in=[/file find name~"^HA_key_"] do={
      :local name [/file get $key name]
      :if ([:typeof [:find $name "_pub"]] = "nil") do={ $haUpload fileFrom=$name fileTo=($haDir . $name) }
    }
  } on-error={ :put "ha_pushbackup: the SSH host keys were not copied" }
  /file remove [find name~"^HA_key_"]
  $haUpload fileFrom="HA_run-after-hastartup.txt" fileTo=($haDir . "HA_run-after-hastartup.rsc")
  :if ($haSync = "quiet") do={ /system script run ha_sendquiet } else={ /system script run ha_sendbackup }
  :set broken false
} on-error={}
/system script run ha_clean
:if ($broken) do={
  /log error "ha_pushbackup: BROKEN OFF, $haPushWhy"
  :error "ha_pushbackup: BROKEN OFF, $haPushWhy"
}
# For minutes now it holds another version, or none: that is no reason to push again.
:global haPushedAt [/system resource get uptime]
:global haPushedVer $haMasterConfigVer
:put "ha_pushbackup: pushed"
