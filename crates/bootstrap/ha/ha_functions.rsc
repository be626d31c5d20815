# The functions an operator types, and the ones the other scripts share.
:global haFunctionsBuild "@BUILD@"
# A board with a directory flash forgets all other files at a restart: what must outlive one is named by haDir, here and in
# the other router, which is of the same model.
:global haDir ""
:if ([:len [/file find name="flash"]] = 1) do={ :set haDir "flash/" }
:global HAInstall do={
  :if ([:len $interface] = 0) do={ :error "HAInstall: interface missing" }
  :if ([:len $macA] = 0) do={ :error "HAInstall: macA missing" }
  :if ([:len $macB] = 0) do={ :error "HAInstall: macB missing" }
  :global haWriteBase
  :global haPreferMac
  :global haSync
  :if ([:len [/system script find name="ha_config_base"]] = 1) do={ /system script run ha_config_base }
  # yes without quotes is a truth value, with them a text
  :local accepted (([:tostr $accept] = "yes") or ([:tostr $accept] = "true"))
  :if (($sync = "quiet") and ($haSync != "quiet") and (!$accepted)) do={
    /system script run ha_quietlist
    :error "HAInstall: nothing changed; read what the quiet way does not carry, then say it again with accept=yes"
  }
  :if ([:len $sync] > 0) do={ :set haSync $sync }
  :if (($haSync != "quiet") and ($haSync != "backup")) do={ :set haSync "backup" }
  :local known [/ppp secret find name="HA_PASSWORD"]
  :if ([:len $password] > 0) do={
    :if ([:len $known] = 0) do={
      /ppp secret add name="HA_PASSWORD" password=$password disabled=yes comment="HA_AUTO"
    } else={
      /ppp secret set $known password=$password
    }
  } else={
    :if ([:len $known] = 0) do={ :error "HAInstall: password missing" }
  }
  $haWriteBase port=$interface a=$macA b=$macB prefer=$haPreferMac way=$haSync
  /system script run ha_install
}
:global HASyncStandby do={
  :global haSyncByHand true
  /system script run ha_checkchanges
}
:global HAPushStandby do={ /system script run ha_pushbackup }
:global HASwitchRole do={ /system script run ha_switchrole }
:global HAInSync do={ /system script run ha_insync }
:global HABootstrap do={ /system script run ha_bootstrap }
:global HAQuietList do={ /system script run ha_quietlist }
# The pair's own facts. The password is not among them: a script's text is in every export.
:global haWriteBase do={
  :local base (":global haInterface \"" . $port . "\"\n")
  :set base ($base . ":global haMacA \"" . $a . "\"\n")
  :set base ($base . ":global haMacB \"" . $b . "\"\n")
  :set base ($base . ":global haPreferMac \"" . $prefer . "\"\n")
  :set base ($base . ":global haSync \"" . $way . "\"\n")
  # in one go, where there is one: a router without it is no member any more
  :if ([:len [/system script find name="ha_config_base"]] = 1) do={
    /system script set [find name="ha_config_base"] source=$base
  } else={
    /system script add name="ha_config_base" policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon source=$base
  }
}
# The HA password lies in a switched-off PPP secret: the one kind of item that every version hides in exports.
:global haSecret do={ :return [/ppp secret get [find name="HA_PASSWORD"] password] }
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
# TEXT as a literal of a script.
:global haQuote do={
  :local out "\""
  :for i from=0 to=([:len $text] - 1) do={
    :local c [:pick $text $i ($i + 1)]
    :if (($c = "\"") or ($c = "\\") or ($c = "\$")) do={ :set out ($out . "\\") }
    :set out ($out . $c)
  }
  :return ($out . "\"")
}
# Early versions do not run the last lines of a file that they run on arrival: each ends with some that may go.
:global haPadding "\n\n\n\n"
# Has the other router run TEXT: a script that it runs on arrival. What it printed, or nothing, is in haAnswer.
:global haTell do={
  :global haAddressOther
  :global haSecret
  :global haWriteFile
  :global haUpload
  :global haPadding
  :global haAnswer ""
  :global haAnswerWhy "it does not take files: is it on, is its startup done, is the HA cable in"
  :local nonce ([:tostr [/system resource get uptime]] . "-" . [:tostr [/system clock get time]] . "-" . [:len $text])
  :do {
    $haWriteFile fileName="HA_ask" fileText=(":put \"HA_ANSWER nonce=" . $nonce . ";\"\n" . $text . ":put \" HA_END\"\n" . $haPadding)
    $haUpload fileFrom="HA_ask.txt" fileTo="HA_ask.auto.rsc"
    :set haAnswerWhy "it takes files and does not run them (.auto.rsc): this RouterOS version or its device-mode forbids it"
    :local secret [$haSecret]
    :local tries 0
    :while (([:len $haAnswer] = 0) and ($tries < 10)) do={
      :delay 0.5
      :set tries ($tries + 1)
      :do {
        /tool fetch upload=no mode=ftp address=$haAddressOther user="ha" password=$secret src-path="HA_ask.auto.log" dst-path="HA_answer.txt"
        :delay 0.2
        :local said [/file get [find name="HA_answer.txt"] contents]
        :if ([:typeof [:find $said ("nonce=" . $nonce . ";")]] = "num") do={
          :if ([:typeof [:find $said "HA_END"]] = "num") do={ :set haAnswer $said } else={
            :set haAnswerWhy "its scripts failed: see its log"
          }
        }
      } on-error={}
    }
  } on-error={}
}
# Copies one file to the other router.
:global haUpload do={
  :global haAddressOther
  :global haSecret
  :local secret [$haSecret]
  /tool fetch upload=yes mode=ftp address=$haAddressOther user="ha" password=$secret src-path=$fileFrom dst-path=$fileTo
}
# The last file of a sync, which the other router runs when it has come, to restart: a transfer that fails may have arrived.
# One that did not is sent again as long as the other router is there. False when it never took it.
:global haUploadLast do={
  :global haAddressOther
  :global haUpload
  :global haPing
  :local tries 0
  :local sent false
  :while ((!$sent) and ($tries < 5)) do={
    :do {
      $haUpload fileFrom=$fileFrom fileTo=$fileTo
      :set sent true
    } on-error={
      :set tries ($tries + 1)
      # it acts after two seconds and is down some four later
      :delay 12
      :local heard [$haPing address=$haAddressOther count=5]
      :if ([:typeof [:find $heard "time="]] = "nil") do={
        :put "haUploadLast: the standby went away during the last transfer, as it may"
        :set sent true
      } else={
        /log warning "haUploadLast: $fileTo did not arrive"
      }
    }
  }
  :return $sent
}
# Writes an export to FILE.rsc and waits until it is whole: its size.
:global haExport do={
  # What the export leaves out on 7.x unless asked is a word that 6.x does not know. In line, not as a job of its own: when the
  # command has ended only a background writer can still be at it.
  :local text ($export . " file=" . $file)
  :if ([:pick [/system resource get version] 0 1] != "6") do={ :set text ($export . " show-sensitive file=" . $file) }
  :local run [:parse $text]
  $run
  :local target ($file . ".rsc")
  :local tries 0
  :while (([:len [/file find name=$target]] = 0) and ($tries < 600)) do={
    :delay 0.5
    :set tries ($tries + 1)
  }
  # it is whole when it has something in it and has been the same at three looks
  :local size 0
  :local same 0
  :while (($same < 3) and ($tries < 1200)) do={
    :delay 0.5
    :local now [/file get [find name=$target] size]
    :if (($now > 0) and ($now = $size)) do={ :set same ($same + 1) } else={ :set same 0 }
    :set size $now
    :set tries ($tries + 1)
  }
  :return $size
}
# How many bytes of FILE are not in comment lines, or -1 where this version can't read it: 6.x reads nothing of this size, 7.x
# up to 60 KB at once, and since 7.13 piece by piece.
:global haUncommented do={
  :if ([:pick [/system resource get version] 0 1] = "6") do={ :return -1 }
  :local size [/file get [find name=$file] size]
  :local count 0
  :local offset 0
  :local start true
  :local comment false
  :do {
    :while ($offset < $size) do={
      :local rest ""
      :do {
        :local piece [:parse (":return ([/file read file=\"" . $file . "\" offset=" . $offset . " chunk-size=32768 as-value]->\"data\")")]
        :set rest [$piece]
      } on-error={
        :if (($offset > 0) or ($size > 60000)) do={ :error "haUncommented: can't be read" }
        :set rest [/file get [find name=$file] contents]
      }
      :if ([:len $rest] = 0) do={ :error "haUncommented: nothing was read" }
      :set offset ($offset + [:len $rest])
      :while ([:len $rest] > 0) do={
        :if ($start and ([:pick $rest 0 1] = "#")) do={ :set comment true }
        :set start false
        :local mark "\n#"
        :if ($comment) do={ :set mark "\n" }
        :local end [:find $rest $mark]
        :if ([:typeof $end] = "num") do={
          :set end ($end + 1)
          :set start true
        } else={
          :set end [:len $rest]
          :if ([:pick $rest ($end - 1) $end] = "\n") do={ :set start true }
        }
        :if (!$comment) do={ :set count ($count + $end) }
        :if ($start) do={ :set comment false }
        :set rest [:pick $rest $end [:len $rest]]
      }
    }
  } on-error={ :set count -1 }
  :return $count
}
# What pinging ADDRESS gives, as text; one reply has a time. Read only when it runs: a word that a version did not know would keep
# everything here from being read, and whether 6.43 and 6.44 know "as-value" of ping is not proved.
:global haPing do={
  :local heard ""
  :do {
    :local ask [:parse (":return [/ping " . $address . " count=" . $count . " as-value]")]
    :set heard [:tostr [$ask]]
  } on-error={
    # how many came back, where that is what it gives
    :do {
      :local ask [:parse (":return [/ping " . $address . " count=" . $count . "]")]
      :local replies [$ask]
      :if ($replies > 0) do={ :set heard "time=unknown" }
    } on-error={}
  }
  :return $heard
}
# The value of KEY in an answer: it stands between " KEY=" and ";".
:global haField do={
  :local mark (" " . $key . "=")
  :local begin [:find $text $mark]
  :if ([:typeof $begin] != "num") do={ :return "" }
  :set begin ($begin + [:len $mark])
  :local rest [:pick $text $begin [:len $text]]
  :local end [:find $rest ";"]
  :if ([:typeof $end] != "num") do={ :return "" }
  :return [:pick $rest 0 $end]
}
