# On the active, with the standby in sync: sends the files whose contents have changed in place. One that was still being
# written to since the last look waits, unless a person asks or the role is about to go. Nothing restarts. haNotTaken names
# what the standby refused.
:global haResendAll
:local all ($haResendAll = true)
:set haResendAll false
/system script run ha_changed
:global haChangedFiles
:global haSettledFiles
:global haFileStamps
:global haFileSeen
:global haFileNow
:global haUpload
:global haNotTaken ""
:local rest $haSettledFiles
:if ($all) do={ :set rest $haChangedFiles }
:while ([:len $rest] > 0) do={
  :local end [:find $rest "\n"]
  :local path [:pick $rest 0 $end]
  :set rest [:pick $rest ($end + 1) [:len $rest]]
  :do {
    $haUpload fileFrom=$path fileTo=$path
    :set ($haFileStamps->$path) ($haFileNow->$path)
    :put "ha_resend: $path was sent again"
    /log info "ha_resend: $path was sent again"
  } on-error={
    :set haNotTaken ($haNotTaken . " " . $path)
    :put "ha_resend: $path was not copied"
    /log error "ha_resend: $path has changed, and the standby did not take it"
  }
}
:set haFileSeen $haFileNow
