"""SRTP's AEAD transform for what leaves (RFC 7714), straight on OpenSSL's AES-GCM.

libsrtp looks the stream up, shifts a replay window and sets a cipher up anew for each packet, which together cost more
than the encryption. Here the caller knows each packet's index, and that he never sends two different packets under one.
What arrives, RTCP, and the other profiles stay with libsrtp.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from media.plane.bits cimport get16

# OpenSSL's, by the function pointers of the copy inside pylibsrtp.
ctypedef void *(*evp_create_t)() noexcept nogil
ctypedef void (*evp_free_t)(void *cipher) noexcept nogil
ctypedef const void *(*evp_cipher_t)() noexcept nogil
ctypedef int (*evp_init_t)(void *cipher, const void *, void *, const uint8_t *key, const uint8_t *iv) noexcept nogil
ctypedef int (*evp_update_t)(void *cipher, uint8_t *out, int *written, const uint8_t *data, int length) noexcept nogil
ctypedef int (*evp_final_t)(void *cipher, uint8_t *out, int *written) noexcept nogil
ctypedef int (*evp_answer_t)(void *cipher, param_t *params) noexcept nogil

cdef enum:
    OSSL_PARAM_OCTET_STRING = 5
    SEAL_TAG = 16
    SEAL_SALT = 12

# OSSL_PARAM: what is asked for, and where the answer goes. A list of them ends with one without a key.
ctypedef struct param_t:
    const char *key
    unsigned int type
    void *data
    size_t size
    size_t answered

ctypedef struct evp_t:
    evp_init_t init
    evp_update_t update
    evp_final_t final
    evp_answer_t answer

# One transport's keys for the RTP it is sent.
ctypedef struct seal_t:
    void *cipher  # an EVP_CIPHER_CTX that has its key
    uint8_t salt[<int>SEAL_SALT]


cdef inline int header_length(const uint8_t *packet) noexcept nogil:
    """Of an RTP packet of ours: no CSRCs, perhaps header extensions. It is authenticated, not encrypted."""
    if packet[0] & 0x10:
        return 16 + 4 * <int>get16(packet + 14)
    return 12


cdef inline void nonce(uint8_t *iv, const seal_t *seal, const uint8_t *packet, int64_t index) noexcept nogil:
    """RFC 7714 section 8.1: two zero bytes, SSRC, roll-over counter, sequence number; under the salt."""
    cdef uint32_t rollovers = <uint32_t>(index >> 16)
    cdef int i
    for i in range(SEAL_SALT):
        iv[i] = seal.salt[i]
    for i in range(4):
        iv[2 + i] ^= packet[8 + i]
        iv[6 + i] ^= <uint8_t>(rollovers >> (24 - 8 * i))
    iv[10] ^= packet[2]
    iv[11] ^= packet[3]


cdef inline int seal_rtp(
    const evp_t *evp, const seal_t *seal, uint8_t *packet, int length, int64_t index
) noexcept nogil:
    """Encrypt in place; `index` is the packet's 48 bits of RFC 3711 section 3.3.1. The new length, 0 if refused."""
    cdef uint8_t iv[<int>SEAL_SALT]
    cdef int header = header_length(packet)
    cdef int written = 0
    cdef param_t tag[2]
    if index < 0:
        return 0
    nonce(iv, seal, packet, index)
    # Asked for straight, which saves a tenth of sealing: EVP_CIPHER_CTX_ctrl would make the same question of its own.
    tag[0].key = b"tag"
    tag[0].type = OSSL_PARAM_OCTET_STRING
    tag[0].data = packet + length
    tag[0].size = SEAL_TAG
    tag[1].key = NULL
    if (
        evp.init(seal.cipher, NULL, NULL, NULL, iv) != 1
        or evp.update(seal.cipher, NULL, &written, packet, header) != 1
        or evp.update(seal.cipher, packet + header, &written, packet + header, length - header) != 1
        or evp.final(seal.cipher, packet + length, &written) != 1
        or evp.answer(seal.cipher, tag) != 1
    ):
        return 0
    return length + SEAL_TAG
