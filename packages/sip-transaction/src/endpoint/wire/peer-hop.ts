/**
 * The way to the peer of a dialog: RFC 3261 §12.2.1.1 says route set and Contact; a peer behind an address translator,
 * or one that connected to us, is reached by the flow it was heard on instead (RFC 5626 §1, RFC 3581 §1).
 */
import { type SipRequest, SipUri } from '@carillon/sip-parser'
import type { Dialog } from '../../dialog/dialog'
import type { Destination, Flow } from '../../ports'
import type { Core } from '../core'

/** Knows the way to one peer. */
export class PeerHop {
  private flow: Flow | undefined
  private isNamed = false
  private isDirect = false

  constructor(
    private readonly core: Core,
    private readonly dialog: Dialog,
  ) {}

  /** A request of the peer came on that flow; with one Via there is nobody between. */
  heardRequest(request: SipRequest, flow: Flow): void {
    this.flow = flow
    this.isDirect = request.vias.length === 1
  }

  /** A response of the peer came on that flow. `isNamed` when the user named the way and not the URI. */
  heardResponse(flow: Flow, isNamed = false): void {
    this.isNamed ||= isNamed
    if (this.flow === undefined || this.isNamed) this.flow = flow
  }

  /** The flow to the peer when it is the better way; undefined for the way of the RFC. */
  direct(): Destination | undefined {
    const { flow, dialog } = this
    if (flow === undefined || !flow.isOpen || dialog.routeSet.length > 0) return undefined
    return this.isNamed || this.isBetter(flow) ? { kind: 'flow', flow } : undefined
  }

  /**
   * Finds the way, now or when a name has been looked up, and hands it to `use`; not at all when there is none.
   * @param use `others` are the servers to try next (RFC 3263 §4.3)
   * @param isDirectWanted false when the flow to the peer has failed
   */
  locate(use: (destination: Destination, others: readonly Destination[]) => void, isDirectWanted = true): void {
    const direct = isDirectWanted ? this.direct() : undefined
    if (direct !== undefined) {
      use(direct, [])
      return
    }
    const { locator, egress, driver } = this.core
    locator.locate(this.dialog.nextHop, this.isSecure, (located) => {
      if (typeof located === 'string') return
      const reachable = located.filter(({ address }) => egress.entryFor(address) !== undefined)
      const [first, ...others] = locator.blocklist.order(reachable, driver.nowMs)
      if (first !== undefined) use(first, others)
    })
  }

  /** True when the peer is named by a SIPS URI: then every hop has to be secure (RFC 3261 §12.2.1.1, §8.1.2). */
  get isSecure(): boolean {
    return this.dialog.remoteTarget.scheme === 'sips'
  }

  private isBetter(flow: Flow): boolean {
    const target = this.dialog.remoteTarget
    const host = target instanceof SipUri ? target.host : ''
    if (host === flow.remote.address) return this.isDirect && flow.isReliable
    // RFC 7118 §5: a browser has no name of its own.
    if (host.endsWith('.invalid')) return true
    // A private Contact heard from outside of its network can only be reached through the translator.
    return this.isDirect || (isPrivate(host) && !isPrivate(flow.remote.address))
  }
}

/** Addresses that mean something in one network only (RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291). */
function isPrivate(host: string): boolean {
  return (
    /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|fe[89ab]|::1$)/.test(
      host,
    ) && /[.:]/.test(host)
  )
}
