use super::*;

const KEY: &[u8; 16] = include_bytes!("../../../testdata/encrypted/key");
const CLEAR: &[u8] = include_bytes!("../../../testdata/encrypted/clear.ts");
const NUMBER_7: &[u8] = include_bytes!("../../../testdata/encrypted/number-7.ts");
const STATED: &[u8] = include_bytes!("../../../testdata/encrypted/stated.ts");

fn decrypt(key: &[u8; 16], iv: [u8; BLOCK], calls: &[&[Bytes]]) -> Result<Vec<u8>, WrongPadding> {
    let mut decryptor = Decryptor::new(key, iv);
    let mut clear = Vec::new();
    for pieces in calls {
        clear.extend_from_slice(&decryptor.update(pieces));
    }
    clear.extend_from_slice(&decryptor.finish()?);
    Ok(clear)
}

fn key(iv: Option<&str>) -> Key {
    Key {
        method: KeyMethod::Aes128,
        uri: Some("key".to_owned()),
        iv: iv.map(str::to_owned),
        key_format: None,
    }
}

#[test]
fn what_openssl_encrypted_is_decrypted() {
    let stated = stated_iv(&key(Some("0x0123456789ABCDEF0123456789abcdef"))).unwrap();
    assert_eq!(decrypt(KEY, stated, &[&[STATED.into()]]).unwrap(), CLEAR);
    assert_eq!(decrypt(KEY, numbered_iv(7), &[&[NUMBER_7.into()]]).unwrap(), CLEAR);
    assert_eq!(stated_iv(&key(None)), None);
}

#[test]
fn it_does_not_matter_how_the_bytes_are_split() {
    let whole = Bytes::from_static(NUMBER_7);
    for first in 0..whole.len() {
        for second in (first..whole.len()).step_by(13) {
            let pieces = [whole.slice(..first), whole.slice(first..second), whole.slice(second..)];
            let [one, two, three] = &pieces;
            let in_one_call = decrypt(KEY, numbered_iv(7), &[&pieces]);
            assert_eq!(in_one_call.unwrap(), CLEAR, "{first} {second}");
            let one_by_one: [&[Bytes]; 3] =
                [std::slice::from_ref(one), std::slice::from_ref(two), std::slice::from_ref(three)];
            assert_eq!(decrypt(KEY, numbered_iv(7), &one_by_one).unwrap(), CLEAR);
        }
    }
    let (head, one, two) = (whole.slice(..32), whole.slice(32..33), whole.slice(33..34));
    let calls: [&[Bytes]; 3] = [&[head], &[one, two], &[whole.slice(34..)]];
    assert_eq!(decrypt(KEY, numbered_iv(7), &calls).unwrap(), CLEAR, "a block was held back");
    let bytes: Vec<Bytes> = (0..whole.len()).map(|at| whole.slice(at..=at)).collect();
    assert_eq!(decrypt(KEY, numbered_iv(7), &[&bytes]).unwrap(), CLEAR);
}

#[test]
fn what_is_cut_off_or_has_another_key_has_no_proper_end() {
    for cut in [1, 16, 17, 568] {
        let bytes = Bytes::from_static(&NUMBER_7[..NUMBER_7.len() - cut]);
        assert_eq!(decrypt(KEY, numbered_iv(7), &[&[bytes]]), Err(WrongPadding), "{cut}");
    }
    assert_eq!(decrypt(&[9; 16], numbered_iv(7), &[&[NUMBER_7.into()]]), Err(WrongPadding));
    assert_eq!(decrypt(KEY, numbered_iv(7), &[]), Err(WrongPadding));
}

#[test]
fn vectors_are_numbers_of_128_bits_at_most() {
    let iv = |text: &str| stated_iv(&key(Some(text)));
    assert_eq!(iv("0x7"), Some(numbered_iv(7)));
    assert_eq!(iv("0X0102"), Some(numbered_iv(0x0102)));
    let mut first = [0; 16];
    first[0] = 0xff;
    assert_eq!(iv("0xff000000000000000000000000000000"), Some(first), "big endian");
    for bad in ["", "0x", "7", "0x+7", "0xfg", "0x100000000000000000000000000000000"] {
        assert_eq!(iv(bad), None, "{bad}");
        assert!(undecipherable(&key(Some(bad))).unwrap().contains("128 bits"), "{bad}");
    }
}

#[test]
fn what_cannot_be_decrypted_is_said_to_be_so() {
    assert_eq!(undecipherable(&key(None)), None);
    let identity = Some("identity".to_owned());
    assert_eq!(undecipherable(&Key { key_format: identity, ..key(Some("0x1")) }), None);
    let refused = |key: Key| undecipherable(&key).unwrap();
    let samples = Key { method: KeyMethod::SampleAes, ..key(None) };
    assert_eq!(refused(samples), "encrypted with SAMPLE-AES, which is not supported");
    let drm = Key { key_format: Some("com.apple.streamingkeydelivery".to_owned()), ..key(None) };
    assert!(refused(drm).contains("com.apple.streamingkeydelivery"));
    assert!(refused(Key { uri: None, ..key(None) }).contains("where its key is"));
}
