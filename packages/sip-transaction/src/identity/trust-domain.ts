/**
 * A trust domain (RFC 3325 §2.3): the peers whose word on who calls is believed, and who are told. At its edge asserted
 * identities of strangers are taken away (§5), users get the identity that they have proved (§5, §6), and what is private
 * does not leave (§7, §9.3). Also in responses and in methods other than INVITE (RFC 5876 §3.2).
 */
import type { BlockList } from 'node:net'
import { NameAddr, parseUri, type SipRequest, type SipResponse, SipUri, type Uri } from '@carillon/sip-parser'
import type { HeaderPolicy } from '../b2bua/header-policy'
import type { HeaderChanges, ProxyHop, ProxyTarget } from '../endpoint/proxy/proxy-options'
import { isIn, networksOf } from '../endpoint/wire/networks'
import { SipUsageError } from '../errors'
import { AssertedIdentity } from './asserted-identity'
import { bridgePolicy, noChanges } from './header-changes'
import { privacyOf } from './privacy-request'

/** Somebody to be trusted or not, as far as he is known: `request.source` is one. */
export interface TrustPeer {
  /** IP address. */
  readonly address?: string
  /** SIP domains that he has proved to be, by a certificate (RFC 5922 §7.1), lower-case. */
  readonly peerIdentities?: readonly string[]
}

/** What a trust domain is. */
export interface TrustDomainOptions {
  /** IP addresses and networks of its members: `10.0.0.0/8`. Addresses of UDP can be forged where nobody filters them. */
  readonly addresses?: readonly string[]
  /** SIP domains of its members, believed where TLS has proved them, and written to where it will. */
  readonly domains?: readonly string[]
  /** Says so for peers that neither of those covers. */
  readonly trusts?: (peer: TrustPeer) => boolean
  /**
   * What strangers are told of an identity about whose privacy nothing is said: nothing (`remove`, the default), or all of
   * it (`pass`). `Privacy: none` always shows it, `id` and `user` never do.
   */
  readonly toStrangers?: 'remove' | 'pass'
}

/** A message with where it came from: an `IncomingRequest` is one. */
export interface ReceivedRequest {
  readonly message: SipRequest
  readonly source: TrustPeer
}

/** Whom a request came from, as far as that was found out. */
export interface AssertionOptions {
  /** The identities of the user that the request was proved to come from, by digest for instance; the first is the default. */
  readonly user?: readonly (string | NameAddr | Uri)[] | undefined
}

/** Two options of `request.proxy`. */
export interface TrustGuard {
  readonly headers: (target: ProxyTarget, hop: ProxyHop) => HeaderChanges
  readonly responseHeaders: (
    response: SipResponse,
    target: ProxyTarget | undefined,
    hop: ProxyHop | undefined,
  ) => HeaderChanges
}

/** Where something goes: a URI, or a target of `request.proxy` or `request.bridge`. */
export type Destined = ProxyTarget | string | Uri

const asserted = 'P-Asserted-Identity'
const preferred = 'P-Preferred-Identity'

/** See the head of this file. Immutable. */
export class TrustDomain {
  private readonly networks: BlockList | undefined
  private readonly domains: ReadonlySet<string>

  /** @throws SipUsageError TRUST_INVALID */
  constructor(private readonly options: TrustDomainOptions) {
    this.networks = networksOf(options.addresses, (name) => new SipUsageError('TRUST_INVALID', name))
    this.domains = new Set(options.domains?.map((domain) => domain.toLowerCase()))
    if (this.domains.has('')) throw new SipUsageError('TRUST_INVALID', 'an empty domain')
  }

  /**
   * Whether somebody belongs to it: who sent a request (`request.source`), or who would get it. Of a target counts the
   * address that it names; its domain only where TLS will have it proved.
   */
  trusts(peer: TrustPeer | Destined): boolean {
    if (typeof peer === 'string' || 'uri' in peer || 'scheme' in peer) return this.trusts(peerOf(peer))
    const { address, peerIdentities = [] } = peer
    if (address !== undefined && this.networks !== undefined && isIn(this.networks, address)) return true
    if (peerIdentities.some((name) => this.domains.has(name))) return true
    return this.options.trusts?.(peer) === true
  }

  /**
   * Who sent a request (RFC 3325 §8, §9.1): the asserted identity if a trusted peer asserts one. Undefined for
   * strangers, whatever they say.
   */
  identityOf({ message, source }: ReceivedRequest): AssertedIdentity | undefined {
    return this.trusts(source) ? AssertedIdentity.read(message, asserted) : undefined
  }

  /** Who answered (RFC 3325 §4), when that peer is trusted. */
  identityOfAnswer(response: SipResponse, from: TrustPeer | Destined): AssertedIdentity | undefined {
    return this.trusts(from) ? AssertedIdentity.read(response, asserted) : undefined
  }

  /**
   * What is to be changed in a request that goes on (RFC 3325 §5 to §7): from a stranger the asserted identity is removed,
   * and set to one that he has proved to have, the preferred one if it is among those; towards a stranger it is removed
   * where its owner wants that, or nothing is said. The preferred identity goes no further.
   */
  changes(request: ReceivedRequest, to: TrustPeer | Destined, options: AssertionOptions = {}): HeaderChanges {
    const { message } = request
    const known = canAssert(message.method) ? (this.identityOf(request) ?? userIdentity(message, options)) : undefined
    return identityChanges(message, this.trusts(to) || this.showsStrangers(message) ? known : undefined)
  }

  /** What is to be changed in a response on its way back to whoever sent `request`. */
  responseChanges(response: SipResponse, from: TrustPeer | Destined, request: ReceivedRequest): HeaderChanges {
    const known = this.identityOfAnswer(response, from)
    return identityChanges(response, this.trusts(request.source) || this.showsStrangers(response) ? known : undefined)
  }

  /**
   * Options of `request.proxy` that keep the edge: `request.proxy(targets, { recordRoute: true, ...trust.guard(request) })`.
   * Each copy and each response is judged by the address that it really goes to or comes from.
   */
  guard(request: ReceivedRequest, options: AssertionOptions = {}): TrustGuard {
    return {
      headers: (target, hop) => this.changes(request, peerAt(target, hop), options),
      responseHeaders: (response, target, hop) => this.responseChanges(response, peerAt(target, hop), request),
    }
  }

  /**
   * The header policies of a bridge that keeps the edge: `request.bridge(target, { headerPolicy: trust.policy(request, target) })`.
   * The asserted identity and Privacy pass, where they may, besides what `base` lets pass.
   */
  policy(
    request: ReceivedRequest,
    target: Destined,
    options: AssertionOptions & { readonly base?: { readonly toA?: HeaderPolicy; readonly toB?: HeaderPolicy } } = {},
  ): { readonly toA: HeaderPolicy; readonly toB: HeaderPolicy } {
    const { base } = options
    const changes = this.changes(request, target, options)
    const isInside = this.trusts(target) && this.trusts(request.source)
    // Further requests of the call pass by the same policy: a stranger's identity must not pass in any of them.
    const there = isInside && changes === noChanges ? noChanges : { ...changes, remove: [asserted] }
    // Nothing of the answer is known yet, so no Privacy of it can be looked at.
    const back = isInside ? noChanges : { remove: [asserted] }
    return { toA: policyOf(back, base?.toA), toB: policyOf(there, base?.toB) }
  }

  private showsStrangers(message: SipRequest | SipResponse): boolean {
    const { levels, isNone } = privacyOf(message)
    if (isNone) return true
    return this.options.toStrangers === 'pass' && !levels.has('id') && !levels.has('user')
  }
}

/** RFC 5876 §3.2: any request but those that cannot be challenged. */
function canAssert(method: string): boolean {
  return method !== 'ACK' && method !== 'CANCEL'
}

/** §5, §6: the preferred identity if it is one of the user's own, else his first one. The URI decides, not the name beside it. */
function userIdentity(message: SipRequest, { user = [] }: AssertionOptions): AssertedIdentity | undefined {
  const own = user.map(readOwn)
  const wanted = AssertedIdentity.read(message, preferred)?.addresses.filter(({ uri }) =>
    own.some((address) => isSame(address.uri, uri)),
  )
  if (wanted !== undefined && wanted.length > 0) return AssertedIdentity.of(...wanted)
  const [first] = own
  return first === undefined ? undefined : AssertedIdentity.of(first)
}

/** @throws SipUsageError IDENTITY_INVALID */
function readOwn(given: string | NameAddr | Uri): NameAddr {
  if (given instanceof NameAddr) return given
  if (typeof given !== 'string') return NameAddr.of({ uri: given })
  const uri = parseUri(given)
  if (!uri.ok) throw new SipUsageError('IDENTITY_INVALID', given)
  return NameAddr.of({ uri: uri.value })
}

function isSame(own: Uri, other: Uri): boolean {
  if (own instanceof SipUri && other instanceof SipUri) return own.addressOfRecord === other.addressOfRecord
  return own.equals(other)
}

/** The lines as they are to be: nothing is touched that is right already. */
function identityChanges(message: SipRequest | SipResponse, identity: AssertedIdentity | undefined): HeaderChanges {
  const isRight = identity === undefined ? !message.has(asserted) : isWritten(message, identity)
  const names = [...(isRight ? [] : [asserted]), ...(message.has(preferred) ? [preferred] : [])]
  if (names.length === 0) return noChanges
  return isRight || identity === undefined ? { remove: names } : { remove: names, add: identity.lines() }
}

function isWritten(message: SipRequest | SipResponse, identity: AssertedIdentity): boolean {
  const read = message.decode('pAssertedIdentities')
  return read.ok && read.value.length === identity.addresses.length && read.value.join() === identity.addresses.join()
}

function policyOf(changes: HeaderChanges, base: HeaderPolicy = {}): HeaderPolicy {
  const { pass = [], drop = [] } = base
  return bridgePolicy(changes, { ...base, pass: [...pass, asserted, 'Privacy'], drop: [...drop, preferred] })
}

/** What is known of one branch of a proxied request; nothing of a response that is our own. */
export function peerAt(target: ProxyTarget | undefined, hop: ProxyHop | undefined): TrustPeer {
  if (target === undefined || hop === undefined) return {}
  return { address: hop.address, ...(isPlace(target) ? {} : { peerIdentities: provedBy(hop.uri) }) }
}

/** What a target says of itself before it has been looked up. */
function peerOf(target: Destined): TrustPeer {
  if (typeof target === 'string' || !('uri' in target)) return peerBehind(target)
  if (isPlace(target)) {
    const { destination } = target
    return destination !== undefined && 'address' in destination ? { address: destination.address } : {}
  }
  const first = target.routes?.[0]
  return peerBehind(target.nextHop ?? (first === undefined ? target.uri : (/<([^>]*)>/.exec(first)?.[1] ?? first)))
}

/** A connection or an address may be anybody's, whatever the URI says. */
function isPlace(target: ProxyTarget): boolean {
  return target.destination !== undefined || target.flowId !== undefined
}

function peerBehind(given: string | Uri): TrustPeer {
  const read = typeof given === 'string' ? parseUri(given) : { ok: true as const, value: given }
  if (!read.ok || !(read.value instanceof SipUri)) return {}
  const { value } = read
  return { ...(value.hostIsIp() ? { address: value.host } : {}), peerIdentities: provedBy(value) }
}

/** The domain that whoever answers to a URI has to prove (RFC 5922 §7.1). */
function provedBy(uri: Uri): readonly string[] {
  return uri instanceof SipUri && (uri.scheme === 'sips' || /^(tls|wss)$/i.test(uri.transport ?? '')) ? [uri.host] : []
}
