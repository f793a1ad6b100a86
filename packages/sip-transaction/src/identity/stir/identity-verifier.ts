/**
 * The verification service of RFC 8224 §6: whether a request comes from whom it says, by a signature whose certificate leads
 * to somebody trusted. The certificate is fetched by whoever its user hands in.
 */
import { parseUri, type SipRequest, SipUri } from '@carillon/sip-parser'
import { nodeClock } from '../../endpoint/wire/node-ports'
import { AgedMap } from '../../timers/aged-map'
import type { AssertedIdentity } from '../asserted-identity'
import {
  CertificateSource,
  type CertificateSourceOptions,
  type StirCertificate,
} from './certificates/certificate-source'
import { type IdentityRefusal, judgeIdentity, type Pertinent, refusal } from './judgement'
import { identitiesMax, passportFreshMs, passportsRememberedMax } from './limits'
import { type Attestation, isSignedBy, type Passport } from './passport'
import type { Verstat } from './verstat'

/** What an {@link IdentityVerifier} is made with. */
export interface IdentityVerifierOptions extends Omit<CertificateSourceOptions, 'wallMs'> {
  /** Milliseconds since the Unix epoch; the system's clock when absent. */
  readonly wallMs?: () => number
}

/** Choices for one request. */
export interface VerifyOptions {
  /** Who calls by the word of somebody trusted; the signature may be for that identity as well as for From. */
  readonly asserted?: AssertedIdentity | undefined
  readonly signal?: AbortSignal
}

/** What came of it. `verstat` is what the phone may be told. */
export type IdentityVerdict =
  | {
      readonly verstat: 'TN-Validation-Passed'
      readonly passport: Passport
      readonly certificate: StirCertificate
      /** Undefined without the extension `shaken`. */
      readonly attest: Attestation | undefined
    }
  | ({ readonly verstat: 'TN-Validation-Failed' } & IdentityRefusal)
  /** Nobody signed it. 428 is the answer of those who insist. */
  | ({ readonly verstat: 'No-TN-Validation' } & IdentityRefusal)

/** Verifies the Identity headers of requests, each signature for one call. */
export class IdentityVerifier {
  private readonly certificates: CertificateSource
  private readonly wallMs: () => number
  /** The Call-ID for which a signature was used, by the signature. */
  private readonly used = new AgedMap<string, { readonly callId: string; readonly untilMs: number }>()

  /** @throws SipUsageError STIR_INVALID */
  constructor(options: IdentityVerifierOptions) {
    const { wallMs = nodeClock.wallMs, ...others } = options
    this.wallMs = wallMs
    this.certificates = new CertificateSource({ ...others, wallMs })
  }

  /** Signatures that are remembered. */
  get remembered(): number {
    return this.used.size
  }

  /** Verifies a request. It does not reject, but for the signal. */
  async verify({ message }: { readonly message: SipRequest }, options: VerifyOptions = {}): Promise<IdentityVerdict> {
    const { asserted, signal } = options
    const read = message.has('Identity') ? message.decode('identities') : undefined
    if (read?.ok === false) return failed(refusal(438, read.error.code))
    const callers = [message.from.uri, ...(asserted?.addresses ?? []).map(({ uri }) => uri)]
    let worst: IdentityRefusal | undefined
    for (const identity of read?.value.slice(0, identitiesMax) ?? []) {
      const judged = judgeIdentity(message, identity, callers, this.wallMs())
      if (judged === 'unsupported') continue
      const verdict = 'status' in judged ? judged : await this.check(message, judged, signal)
      if ('verstat' in verdict) return verdict
      worst ??= verdict
    }
    if (worst !== undefined) return failed(worst)
    return { verstat: 'No-TN-Validation', ...refusal(428, 'no signature that means anything here') }
  }

  private async check(
    request: SipRequest,
    { passport }: Pertinent,
    signal: AbortSignal | undefined,
  ): Promise<IdentityVerdict | IdentityRefusal> {
    const found = await this.certificates.get(passport.x5u, signal)
    signal?.throwIfAborted()
    if (!found.ok) return refusal(found.status, `the certificate: ${found.detail}`)
    const { certificate } = found
    if (!isGoodFor(certificate, passport)) return refusal(437, 'the certificate is not good for this caller')
    if (!isSignedBy(passport, certificate.publicKey)) return refusal(438, 'the signature is wrong')
    // Only what is genuine is remembered: nobody else can use up the memory, or a signature.
    if (!this.useOnce(request, passport)) return refusal(438, 'it was used for another call')
    return { verstat: 'TN-Validation-Passed', passport, certificate, attest: passport.claims.attest }
  }

  /** RFC 8224 §12.1. A copy of the same call that came by another way is none: it is seldom the sender who copies. */
  private useOnce({ callId }: SipRequest, { signature, claims }: Passport): boolean {
    const nowMs = this.wallMs()
    const { used } = this
    for (let oldest = used.oldestValue; oldest !== undefined && oldest.untilMs < nowMs; oldest = used.oldestValue)
      used.deleteOldest()
    const key = Buffer.from(signature).toString('base64url')
    const known = used.get(key)
    if (known !== undefined) return known.callId === callId
    if (used.size >= passportsRememberedMax) used.deleteOldest()
    used.set(key, { callId, untilMs: claims.iat * 1000 + passportFreshMs })
    return true
  }
}

function failed(why: IdentityRefusal): IdentityVerdict {
  return { verstat: 'TN-Validation-Failed' satisfies Verstat, ...why }
}

/** RFC 8224 §6.2 step 3, RFC 8226 §6: numbers that the certificate names, or the domain that it is for. */
function isGoodFor({ certificate, authority }: StirCertificate, { claims }: Passport): boolean {
  const { orig } = claims
  // Who names no numbers signs for none. The numbers of a provider who is named are known to the network, and not to us.
  if ('tn' in orig) return authority !== undefined && authority.covers(orig.tn) !== false
  const domain = domainOf(orig.uri)
  return domain !== undefined && certificate.checkHost(domain) !== undefined
}

function domainOf(text: string): string | undefined {
  const uri = parseUri(text)
  return uri.ok && uri.value instanceof SipUri ? uri.value.host : undefined
}
