/** Caps of signed identities (RFC 8224): what one message may ask of a verifier. */

/** Bytes of a PASSporT; a longer one is no valid one. */
export const passportBytesMax = 8_192
/** Callees of one kind in a PASSporT; more make it invalid. */
export const passportDestinationsMax = 32
/** Digits of a telephone number; what is longer is no number. */
export const passportNumberLengthMax = 64
/** Identity headers of a request that are looked at; the others are passed over. */
export const identitiesMax = 4
/** How far the time of a PASSporT may be from ours, either way, in milliseconds (RFC 8224 §6.2 step 4). */
export const passportFreshMs = 60_000
/** Signatures that are remembered, so that each is good for one call; over it the oldest is forgotten. */
export const passportsRememberedMax = 65_536
/** Certificates in one file, those that vouch for the first included; a file with more is refused. */
export const certificatesPerFileMax = 8
/** Bytes of a file with certificates that is fetched. */
export const certificateFileBytesMax = 65_536
/** How long a fetch may take, in milliseconds. */
export const certificateFetchTimeoutMs = 4_000
/** Certificates that are fetched at once; over it the answer is 436. */
export const certificateFetchesMax = 32
/** Certificates that are kept, and as many failures to get one; over it the oldest is forgotten. */
export const certificatesKeptMax = 1_024
/** How long a certificate is kept at most, in milliseconds. */
export const certificateKeptMs = 3_600_000
/** How long a failure is kept, in milliseconds. */
export const certificateProblemKeptMs = 10_000
/** Entries of a TNAuthList (RFC 8226 §9); a longer one makes the certificate unusable. */
export const tnEntriesMax = 4_096
