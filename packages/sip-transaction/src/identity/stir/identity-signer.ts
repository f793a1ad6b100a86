/**
 * The authentication service of RFC 8224 §5 with the extension `shaken` of RFC 8588: signs who calls. It is for its user to
 * know that the caller is who he says, and that the key is good for that number.
 */
import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto'
import { type HeaderInit, Identity, parseUri, type SipRequest, type Uri } from '@carillon/sip-parser'
import type { HeaderChanges } from '../../endpoint/proxy/proxy-options'
import { nodeClock } from '../../endpoint/wire/node-ports'
import { SipUsageError } from '../../errors'
import { canonicalIdentity } from './canonical-identity'
import { passportFreshMs } from './limits'
import { type Attestation, type PassportDestination, signPassport } from './passport'

/** What an {@link IdentitySigner} is made with. */
export interface IdentitySignerOptions {
  /** The private key on the curve P-256, or its PEM. It is never logged. */
  readonly key: KeyObject | string
  /** Where verifiers find the certificate: an https URL. */
  readonly certificateUrl: string
  /** Names where calls enter the network, a UUID; one for each signer when absent (RFC 8588 §5). */
  readonly origid?: string
  /** Milliseconds since the Unix epoch; the system's clock when absent. */
  readonly wallMs?: () => number
}

/** What is signed of one call. */
export interface SignOptions {
  /** How sure we are of the caller; without it a PASSporT without extension is made. */
  readonly attest?: Attestation
  /** In place of the signer's. */
  readonly origid?: string
}

/** Who calls whom. */
export interface SignedCall extends SignOptions {
  readonly from: Uri | string
  readonly to: Uri | string | readonly (Uri | string)[]
}

/** Signs calls with one key. */
export class IdentitySigner {
  private readonly key: KeyObject
  private readonly info: Uri
  private readonly origid: string
  private readonly wallMs: () => number

  /** @throws SipUsageError STIR_INVALID */
  constructor(options: IdentitySignerOptions) {
    const { key, certificateUrl, origid = randomUUID(), wallMs = nodeClock.wallMs } = options
    this.key = typeof key === 'string' ? privateKey(key) : key
    if (this.key.type !== 'private' || this.key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new SipUsageError('STIR_INVALID', 'the key is no private one on P-256')
    if (!URL.canParse(certificateUrl) || !certificateUrl.startsWith('https://'))
      throw new SipUsageError('STIR_INVALID', 'the address of the certificate is no https URL')
    this.info = asUri(certificateUrl)
    this.origid = origid
    this.wallMs = wallMs
  }

  /**
   * Date and Identity of a new call: option `headers` of `stack.invite`.
   * @throws SipUsageError STIR_INVALID for what is no URI
   */
  headers(call: SignedCall): readonly HeaderInit[] {
    const to = typeof call.to === 'string' || !isList(call.to) ? [call.to] : call.to
    const nowMs = this.wallMs()
    return [date(nowMs), this.identity(asUri(call.from), to.map(asUri), nowMs, call)]
  }

  /**
   * What a proxy adds to a request: an Identity beside those that are there, and a Date where there is none or an old one.
   * @param from who calls, where that is not From but an identity that was asserted (RFC 8224 §5.1)
   */
  changes(request: SipRequest, options: SignOptions & { readonly from?: Uri | string } = {}): HeaderChanges {
    const nowMs = this.wallMs()
    const dated = request.decode('date')
    const isDated = dated.ok && dated.value !== undefined && Math.abs(dated.value - nowMs) < passportFreshMs
    const from = options.from === undefined ? request.from.uri : asUri(options.from)
    const add = [this.identity(from, [request.to.uri], nowMs, options)]
    return isDated ? { add } : { set: [date(nowMs)], add }
  }

  private identity(from: Uri, to: readonly Uri[], nowMs: number, options: SignOptions): HeaderInit {
    const { attest, origid = this.origid } = options
    const iat = Math.floor(nowMs / 1000)
    const claims = { orig: canonicalIdentity(from), dest: destinationOf(to), iat }
    const x5u = this.info.toString()
    const signature = signPassport(attest === undefined ? claims : { ...claims, attest, origid }, x5u, this.key)
    const ppt = attest === undefined ? {} : { ppt: 'shaken' }
    return ['Identity', Identity.of({ signature, info: this.info, alg: 'ES256', ...ppt }).toString()]
  }
}

function destinationOf(to: readonly Uri[]): PassportDestination {
  const all = to.map(canonicalIdentity)
  const tn = all.flatMap((one) => ('tn' in one ? [one.tn] : []))
  const uri = all.flatMap((one) => ('uri' in one ? [one.uri] : []))
  return { ...(tn.length === 0 ? {} : { tn }), ...(uri.length === 0 ? {} : { uri }) }
}

function date(nowMs: number): HeaderInit {
  return ['Date', new Date(nowMs).toUTCString()]
}

function asUri(uri: Uri | string): Uri {
  if (typeof uri !== 'string') return uri
  const read = parseUri(uri)
  if (!read.ok) throw new SipUsageError('STIR_INVALID', 'no URI')
  return read.value
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new SipUsageError('STIR_INVALID', 'the key cannot be read')
  }
}
