/**
 * Whether a certificate leads to somebody trusted: RFC 5280 §6, as far as STIR needs it (RFC 8226 §5). Names, validity,
 * signatures, who may sign for others and how far down; no name constraints, no policies, no revocation. Pure.
 */
import { X509Certificate } from 'node:crypto'
import { pathLengthMax } from './certificate-extensions'

/** The certificates of a PEM file in their order, or of the one in DER; undefined when they cannot be read, or are too many. */
export function readCertificates(file: Uint8Array | string, countMax: number): readonly X509Certificate[] | undefined {
  try {
    const text = typeof file === 'string' ? file : Buffer.from(file).toString('latin1')
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
    if (blocks === null) return typeof file === 'string' ? undefined : [new X509Certificate(file)]
    return blocks.length > countMax ? undefined : blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

/**
 * Looks for a way from the first of the certificates to an anchor, in whatever order the others stand. The shortest one is
 * found, and each certificate is looked at once, however they sign each other.
 * @returns the way, both ends included; what is wrong when there is none
 */
export function findChain(
  certificates: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  nowMs: number,
): readonly X509Certificate[] | string {
  const [leaf, ...others] = certificates
  if (leaf === undefined) return 'there is none'
  if (curveOf(leaf) !== 'prime256v1') return 'its key is none of ES256'
  if (!isValid(leaf, nowMs)) return outOfTime
  const trusted = new Set(anchors.map(({ fingerprint256 }) => fingerprint256))
  const left = new Set([...anchors, ...others])
  const ways: (readonly X509Certificate[])[] = [[leaf]]
  let problem = 'it leads to nobody trusted'
  for (const way of ways) {
    const last = way.at(-1) ?? leaf
    if (trusted.has(last.fingerprint256)) return way
    for (const signer of left) {
      // The way holds the signer's subordinates and, first of all, the leaf, which is no authority.
      if (!isSignedBy(last, signer) || pathLengthMax(signer.raw) < way.length - 1) continue
      left.delete(signer)
      if (isValid(signer, nowMs)) ways.push([...way, signer])
      else problem = outOfTime
    }
  }
  return problem
}

/** Until when all of them are valid, in milliseconds since the Unix epoch. */
export function validUntilMs(chain: readonly X509Certificate[]): number {
  return Math.min(...chain.map(({ validTo }) => Date.parse(validTo)))
}

const outOfTime = 'it has expired, or is not valid yet'

/** Reading a key throws where OpenSSL does not know it. */
function curveOf(certificate: X509Certificate): string | undefined {
  try {
    return certificate.publicKey.asymmetricKeyDetails?.namedCurve
  } catch {
    return undefined
  }
}

function isValid(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo)
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}
