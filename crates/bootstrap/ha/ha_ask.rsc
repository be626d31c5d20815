# Asks the other router what it is; its answer, or nothing, is in haAnswer. The question is a script that it runs on arrival.
# Who runs this has run ha_config.
:global haAddressOther
:global haSecret
:global haWriteFile
:global haUpload
:global haAnswer ""
:global haAnswerWhy "it does not take files: is it on, is its startup done, is the HA cable in"
:local nonce ([:tostr [/system resource get uptime]] . "-" . [:tostr [/system clock get time]])
:local ask (":put \"HA_ANSWER nonce=" . $nonce . ";\"\n:put (\" ros=\" . [/system resource get version] . \"; board=\" . [/system resource get board-name] . \";\")\n")
:set ask ($ask . ":if ([:len [/system script find name=\"ha_answer\"]] = 1) do={/system script run ha_answer} else={:put \" me=none; HA_END\"}\n")
:do {
  $haWriteFile fileName="HA_ask" fileText=$ask
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
      :local text [/file get [find name="HA_answer.txt"] contents]
      :if ([:typeof [:find $text ("nonce=" . $nonce . ";")]] = "num") do={
        :if ([:typeof [:find $text "HA_END"]] = "num") do={ :set haAnswer $text } else={
          :set haAnswerWhy "its scripts failed: see its log"
        }
      }
    } on-error={}
  }
} on-error={}
