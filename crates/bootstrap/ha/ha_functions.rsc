# The functions an operator types, and the ones the other scripts share.
:global HAInstall do={
  :if ([:len $interface] = 0) do={ :error "HAInstall: interface missing" }
  :if ([:len $macA] = 0) do={ :error "HAInstall: macA missing" }
  :if ([:len $macB] = 0) do={ :error "HAInstall: macB missing" }
  :if ([:len $password] = 0) do={ :error "HAInstall: password missing" }
  :local base (":global haPassword \"" . $password . "\"\n")
  :set base ($base . ":global haInterface \"" . $interface . "\"\n")
  :set base ($base . ":global haMacA \"" . $macA . "\"\n")
  :set base ($base . ":global haMacB \"" . $macB . "\"\n")
  :set base ($base . ":global haPreferMac \"\"\n")
  /system script remove [find name="ha_config_base"]
  /system script add name="ha_config_base" policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive source=$base
  /system script run ha_install
}
:global HASyncStandby do={ /system script run ha_checkchanges }
:global HAPushStandby do={ /system script run ha_pushbackup }
:global HASwitchRole do={ /system script run ha_switchrole }
# Replaces the text of FILENAME.txt; creating a file by a print takes effect a little later.
:global haWriteFile do={
  :local target "$fileName.txt"
  :local tries 0
  :if ([:len [/file find name=$target]] = 0) do={
    /file print file=$fileName
    :while (([:len [/file find name=$target]] = 0) and ($tries < 100)) do={
      :delay 0.1
      :set tries ($tries + 1)
    }
    # what the print itself writes must be over before the text is set
    :delay 1
  }
  /file set [find name=$target] contents=$fileText
}
# Copies one file to the other router.
:global haUpload do={
  :global haAddressOther
  :global haPassword
  /tool fetch upload=yes mode=ftp address=$haAddressOther user="ha" password=$haPassword src-path=$fileFrom dst-path=$fileTo
}
