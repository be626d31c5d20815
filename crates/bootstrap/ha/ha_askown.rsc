# The standby is proved: it saves its own backup, ports off and own MACs, unless it has one of this version.
:global haAnswer
:global haField
:global haWriteFile
:global haUpload
:global haPadding
:if ([$haField text=$haAnswer key="saved"] != [$haField text=$haAnswer key="version"]) do={
  :do {
    $haWriteFile fileName="HA_proved" fileText=("/system script run ha_saveown\n" . $haPadding)
    $haUpload fileFrom="HA_proved.txt" fileTo="HA_proved.auto.rsc"
  } on-error={ /log warning "ha_askown: the standby could not be told to save its own backup" }
}
