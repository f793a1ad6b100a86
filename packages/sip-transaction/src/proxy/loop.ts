/**
 * Loops: RFC 3261 §16.3 step 4 and §16.6 step 8, RFC 5393 §4.2. A branch ends with a hash of everything that decides where
 * a request goes. When it comes back with one of our branches and the same hash it loops; with another it spirals, which is
 * allowed. And the branches of requests forwarded without state, which have to be the same for each copy (§16.11).
 */
import type { SipRequest, SipResponse, Via } from '@carillon/sip-parser'
import { requestUriText } from '../transaction/key'
import { KeyedHash } from '../transaction/keyed-hash'

const cookie = 'z9hG4bK'
/** Stands between the unique part of a branch and its hash. */
const separator = '.'
/** Marks a branch that was made without state. */
const stateless = '~'

/** Knows the branches of one proxy again, by hashes that nobody else can make. */
export class LoopGuard {
  private readonly keyed: KeyedHash

  /** @param key eight unpredictable bytes */
  constructor(key: Uint8Array) {
    this.keyed = new KeyedHash(key)
  }

  /** What decides where a request goes, as a hash; RFC 5393 §4.2.1 leaves Via and Max-Forwards out. */
  hashOf(request: SipRequest): string {
    // No method and no To tag: CANCEL and the ACK to a failure go the way of their INVITE.
    const text = `${requestUriText(request)} ${request.callId} ${request.cseq.seq} ${request.from.tag ?? ''}`
    return this.hash(request.has('Route') ? `${text} ${request.getAll('Route').join()}` : text)
  }

  /** True when a request with these Vias has been here before, with that hash. */
  isLoop(vias: readonly Via[], loopHash: string): boolean {
    for (let index = 0; index < vias.length; index += 1) {
      if (vias[index]!.branch?.endsWith(separator + loopHash) === true) return true
    }
    return false
  }

  /** A branch for a request that has a transaction of its own; without a hash when it cannot loop. */
  branch(unique: string, loopHash: string | undefined): string {
    return loopHash === undefined ? cookie + unique : cookie + unique + separator + loopHash
  }

  /** §16.11: a branch that each copy of the request gets again, and its CANCEL and ACK too. */
  statelessBranch(request: SipRequest, loopHash: string | undefined): string {
    const { via } = request
    // Of a peer of RFC 2543 nothing but the request as a whole tells one from another.
    const own = via.branch?.startsWith(cookie) === true ? '' : ` ${request.callId} ${request.cseq.seq}`
    return this.branch(this.hash(wayBack(via) + own) + stateless, loopHash)
  }

  /** True when a response has come for a request that was forwarded without state; its top Via is ours then. */
  isStatelessResponse(response: SipResponse): boolean {
    const branch = response.via.branch
    const end = branch?.indexOf(stateless) ?? -1
    const before = end < 0 ? undefined : response.vias[1]
    if (branch === undefined || before === undefined) return false
    const sent = branch.slice(cookie.length, end)
    if (this.hash(wayBack(before)) === sent) return true
    return this.hash(`${wayBack(before)} ${response.callId} ${response.cseq.seq}`) === sent
  }

  private hash(text: string): string {
    const { keyed } = this
    keyed.compute(text)
    return (keyed.low >>> 0).toString(36) + (keyed.high >>> 0).toString(36)
  }
}

/** What a Via says of who sent the request, and by which transaction. */
function wayBack(via: Via): string {
  return `s ${via.branch ?? ''} ${via.transport} ${via.host}:${via.port ?? 0} ${via.received ?? ''}:${via.rport ?? ''}`
}
