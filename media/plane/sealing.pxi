# The keys of media.plane.seal, and where its functions come from.

EVP = ctypes.CDLL(srtp_binding.__file__)


cdef void *evp_function(str name) except NULL:
    """OpenSSL inside pylibsrtp: the one whose AES-GCM libsrtp uses, and newer than a system's."""
    return <void *><uintptr_t>ctypes.cast(EVP[name], ctypes.c_void_p).value


def rtp_session_key(bytes master):
    """RFC 3711 section 4.3 with the labels of RTP: `(key, salt)` for a master key with its 12 bytes of salt."""
    key, salt = master[:-SEAL_SALT], master[-SEAL_SALT:].ljust(14, b"\0")

    def derive(label, length):
        start = bytearray(salt + b"\0\0")
        start[7] ^= label
        return Cipher(algorithms.AES(key), modes.CTR(bytes(start))).encryptor().update(bytes(length))

    return derive(0, len(key)), derive(2, SEAL_SALT)


cdef class Seal:
    """Holds a cipher context and its salt (RFC 7714) for as long as the transport."""
    cdef seal_t seal

    def __init__(self, bytes master):
        cdef evp_create_t create = <evp_create_t>evp_function("EVP_CIPHER_CTX_new")
        cdef evp_init_t init = <evp_init_t>evp_function("EVP_EncryptInit_ex")
        cdef evp_cipher_t cipher
        cdef const uint8_t *key
        session_key, salt = rtp_session_key(master)
        memcpy(self.seal.salt, PyBytes_AS_STRING(salt), SEAL_SALT)
        key = <const uint8_t *>PyBytes_AS_STRING(session_key)
        cipher = <evp_cipher_t>evp_function(f"EVP_aes_{8 * len(session_key)}_gcm")
        self.seal.cipher = create()
        if self.seal.cipher == NULL or init(self.seal.cipher, cipher(), NULL, key, NULL) != 1:
            raise MemoryError

    def __dealloc__(self):
        if self.seal.cipher != NULL:
            (<evp_free_t>evp_function("EVP_CIPHER_CTX_free"))(self.seal.cipher)
