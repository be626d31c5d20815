//! Certificates as opaque items.

use super::*;

#[test]
fn a_certificate_travels_with_its_key_by_files() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/certificate add name=ca common-name=ca key-usage=key-cert-sign,crl-sign; /certificate sign ca");
        bench.run("/certificate add name=web common-name=r1.example days-valid=10; /certificate sign web ca=ca");
        assert_eq!(bench.get("[/certificate get web private-key]"), "true");
        assert_eq!(bench.get("[/certificate get ca authority]"), "true");
        assert_eq!(bench.get("[/certificate get web issuer]"), "CN=ca");
        let print = bench.get("[/certificate get web fingerprint]");
        assert_eq!(print.len(), 64);
        assert!(bench.fails("/certificate sign web").contains("already signed"));
        bench.run("/certificate export-certificate web file-name=w export-passphrase=12345678");
        bench.run("/certificate remove [find name=web]");
        let said = bench.run("/certificate import file-name=w.crt passphrase=\"\"");
        assert!(said.contains("     certificates-imported: 1"), "{said}");
        let said = bench.run("/certificate import file-name=w.key passphrase=wrongwrong");
        assert!(said.contains("decryption-failures: 1") && said.contains("private-keys-imported: 0"), "{said}");
        let id = "[/certificate find common-name=\"r1.example\"]";
        assert_eq!(bench.get(&format!("[/certificate get {id} private-key]")), "false");
        bench.run("/certificate import file-name=w.key passphrase=12345678");
        assert_eq!(bench.get(&format!("[/certificate get {id} private-key]")), "true");
        assert_eq!(bench.get(&format!("[/certificate get {id} fingerprint]")), print);
        // It is there once, however often it is imported; one of another tool is taken as it is.
        bench.run("/certificate import file-name=w.crt passphrase=\"\"");
        assert_eq!(bench.get("[:len [/certificate find]]"), "2");
        let pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec();
        bench.router.system().unwrap().write_file("foreign.pem", pem).unwrap();
        bench.run("/certificate import file-name=foreign.pem passphrase=\"\"");
        assert_eq!(bench.get("[:len [/certificate find]]"), "3");
        assert!(!bench.run("/export verbose").contains(&print), "no export has certificates");
    }
}
