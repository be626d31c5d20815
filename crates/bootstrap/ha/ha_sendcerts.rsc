# The quiet way: certificates, each with its key in a file that the HA password seals, and a script that takes it in under its
# own name. They come before the configuration, which names them. What can't be exported is said and stays behind.
:global haSecret
:global haQuote
:global haWriteFile
:global haUpload
:global haDir
:global haPushWhy
:global haCertCount 0
:local secret [$haSecret]
:local lacking ""
# Authorities first: a file of one that they have signed may bring them along, without their keys.
:local order [:toarray ""]
:do {
  :local asked [:parse ":return [/certificate find where authority=yes]"]
  :set order [$asked]
} on-error={}
:set order ($order , [/certificate find])
:local met ","
:foreach item in=$order do={
  :local called [/certificate get $item name]
  :local mark [:tostr [/certificate get $item fingerprint]]
  :if ([:typeof [:find $met ("," . $item . ",")]] != "nil") do={ :set mark "" }
  :set met ($met . $item . ",")
  # without one it is a template that nobody has signed
  :if ([:len $mark] > 0) do={
    :local base ("HA_quiet-cert-" . $haCertCount)
    :local path ($base . ".crt")
    :local key ([:tostr [/certificate get $item private-key]] = "true")
    :local found ("[/certificate find where fingerprint=\"" . $mark . "\"]")
    :local known false
    :do {
      # read when it is run: a version that does not know one of the words refuses this line alone
      :local line ("/certificate export-certificate " . $found . " file-name=" . $base)
      :if ($key) do={
        :set path ($base . ".p12")
        :set line ($line . " type=pkcs12 export-passphrase=" . [$haQuote text=$secret])
      }
      :local export [:parse $line]
      $export
      :local tries 0
      :while (([:len [/file find name=$path]] = 0) and ($tries < 100)) do={
        :delay 0.1
        :set tries ($tries + 1)
      }
      :set known ([:len [/file find name=$path]] = 1)
    } on-error={}
    :if (!$known) do={
      :set lacking ($lacking . " " . $called)
      # one that the configuration names would stop the standby's import half way
      :local name [$haQuote text=$called]
      :foreach use in={"/ip service find where certificate";"/ip hotspot profile find where ssl-certificate";"/ip ipsec identity find where certificate";"/ip ipsec identity find where remote-certificate";"/ip ipsec peer find where certificate";"/interface sstp-client find where certificate";"/interface ovpn-client find where certificate";"/interface ovpn-server server find where certificate";"/interface dot1x client find where certificate";"/interface wifi security find where eap-tls-certificate";"/interface wireless security-profiles find where tls-certificate";"/radius find where certificate";"/tool netwatch find where certificate";"/ip reverse-proxy find where certificate";"/ip ipsec key qkd find where certificate";"/system keymat-provider find where qkd-certificate";"/interface sstp-server server get certificate";"/interface ovpn-server server get certificate";"/interface wifi capsman get certificate";"/interface wifi capsman get ca-certificate";"/interface wifi cap get certificate";"/interface wireless cap get certificate";"/caps-man manager get certificate";"/caps-man manager get ca-certificate"} do={
        :local line (":if ([:tostr [" . $use . "]] = " . $name . ") do={:return 1} else={:return 0}")
        :if ([:typeof [:find $use " find where "]] != "nil") do={ :set line (":return [:len [" . $use . "=" . $name . "]]") }
        :local count 0
        :do {
          :local asked [:parse $line]
          :set count [$asked]
        } on-error={}
        :if ($count > 0) do={
          :set haPushWhy "certificate $called can not be exported and is named by $use: the standby was not reset; make its key exportable, or use sync=backup"
          :error $haPushWhy
        }
      }
    } else={
      :local text (":do {/certificate import file-name=" . $haDir . $path . " passphrase=" . [$haQuote text=$secret] . "} on-error={}\n")
      :set text ($text . ":if ([:len " . $found . "] != 1) do={:error \"certificate " . $haCertCount . " is not there\"}\n")
      :if ($key) do={ :set text ($text . ":if ([:tostr [/certificate get " . $found . " private-key]] != \"true\") do={:error \"certificate " . $haCertCount . " has no key\"}\n") }
      :local trusted "no"
      :local words [:tostr [/certificate get $item trusted]]
      :if (($words = "true") or ($words = "yes")) do={ :set trusted "yes" }
      :set text ($text . "/certificate set " . $found . " name=" . [$haQuote text=$called] . " trusted=" . $trusted . "\n")
      $haWriteFile fileName=$base fileText=$text
      $haUpload fileFrom=$path fileTo=($haDir . $path)
      $haUpload fileFrom=($base . ".txt") fileTo=($haDir . $base . ".rsc")
      :set haCertCount ($haCertCount + 1)
    }
    /file remove [find name~("^" . $base . "[.]")]
  }
}
:if ([:len $lacking] > 0) do={
  /log error "ha_pushbackup: certificates that could not be exported, the standby has them not:$lacking"
  :if ([:len $lacking] > 500) do={ :set lacking ([:pick $lacking 0 500] . " ...") }
  $haWriteFile fileName="HA_lacking" fileText=$lacking
} else={
  /file remove [find name="HA_lacking.txt"]
}
