# On the active: gives the role to the standby, and only when the standby is proved ready. No router restarts; this one
# stays as it is, ports closed, and takes the role back when the other one does not become active.
/system script run ha_config
:global isMaster
:global haPreferMac
:if (!$isMaster) do={ :error "ha_switchrole: NOT MASTER, nothing switched" }
:if ([:len $haPreferMac] > 0) do={ :error "ha_switchrole: haPreferMac is set, the roles would come back by themselves" }
/system script run ha_insync
:global haInSync
:global haInSyncWhy
:if ($haInSync != "yes") do={ :error "ha_switchrole: NOT SWITCHING, nothing changed: $haInSyncWhy" }
# what was edited in place goes first: the next active would never hear of it
:global haResendAll true
/system script run ha_resend
:global haNotTaken
:if ([:len $haNotTaken] > 0) do={ :error "ha_switchrole: NOT SWITCHING, nothing changed: the standby did not take:$haNotTaken" }
:global haHandover "running"
:put "ha_switchrole: handing over; a session that came in by a data port ends now, the switch goes on"
# as a job of its own: the session that typed this may come in by a port that closes
:execute "/system script run ha_handover"
:local tries 0
:while (($haHandover = "running") and ($tries < 240)) do={
  :delay 0.5
  :set tries ($tries + 1)
}
:if ($haHandover != "done") do={ :error "ha_switchrole: $haHandover" }
:put "ha_switchrole: DONE, the other router is active; this one is its standby, unrestarted"
