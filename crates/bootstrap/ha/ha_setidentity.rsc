# NAME_HA_A_ACTIVE or NAME_HA_B_STANDBY; what follows _HA_ is replaced.
:global haIdentity
:global isMaster
:local text [/system identity get name]
:local cut [:find $text "_HA_"]
:if ([:typeof $cut] = "num") do={ :set text [:pick $text 0 $cut] }
:local role "STANDBY"
:if ($isMaster) do={ :set role "ACTIVE" }
:local wanted ($text . "_HA_" . $haIdentity . "_" . $role)
:if ([/system identity get name] != $wanted) do={ /system identity set name=$wanted }
