/** One branch of a proxied request on its way: located, sent, tried at the next server (RFC 3261 §16.6 steps 7 to 10). */
import type { SipResponse, Uri } from '@carillon/sip-parser'
import type { TransactionErrorCode } from '../../errors'
import type { Destination } from '../../ports'
import type { ForwardPlan } from '../../proxy/forward-request'
import type { ProxyBranch } from '../../proxy/response-context'
import type { Core } from '../core'
import {
  ClientRequest,
  type ClientRequestSpec,
  type ClientRequestUser,
  type ForwardedRequest,
} from '../requests/client-request'
import type { ListenerEntry, RequestExtras } from '../wire/egress'
import type { ProxyHop } from './proxy-options'
import type { ReadTarget } from './proxy-targets'

/** What a leg needs of the proxied request that it belongs to. */
export interface LegOwner {
  readonly core: Core
  readonly method: string
  readonly isSips: boolean
  write(leg: ProxyLeg, entry: ListenerEntry, remote: string): ForwardedRequest
  provisional(leg: ProxyLeg, response: SipResponse): void
  final(leg: ProxyLeg, response: SipResponse): void
  legFailed(leg: ProxyLeg, status: number, reason: 'timeout' | 'transport'): void
}

const noExtras: RequestExtras = { contact: false }

/** What a request that came to nothing counts as (§16.9: 503 for what could not be sent). */
const statusOf: Readonly<Partial<Record<TransactionErrorCode, number>>> = {
  TIMEOUT: 408,
  NAME_NOT_FOUND: 404,
  NAME_LOOKUP_FAILED: 480,
  CANCELLED: 487,
}

/** One branch under way. */
export class ProxyLeg implements ClientRequestSpec, ClientRequestUser {
  readonly method: string
  readonly extras = noExtras
  readonly auth = undefined
  readonly destination: (() => Destination | undefined) | undefined
  /** What a CANCEL and the late forwarding of a 2xx go to. */
  readonly client: ClientRequest
  /** Where its request went last. */
  hop: ProxyHop | undefined = undefined

  constructor(
    private readonly owner: LegOwner,
    readonly branch: ProxyBranch<ReadTarget>,
    /** What this branch changes. */
    readonly forward: ForwardPlan,
  ) {
    this.method = owner.method
    const { destination } = branch.target
    this.destination = destination === undefined ? undefined : () => owner.core.explicit(destination)
    this.client = new ClientRequest(owner.core, this, this)
  }

  nextHop(): Uri {
    return this.branch.target.nextHop ?? this.forward.nextHop
  }

  isSecure(): boolean {
    return this.owner.isSips
  }

  write(entry: ListenerEntry, remote: string): ForwardedRequest {
    return this.owner.write(this, entry, remote)
  }

  provisional(response: SipResponse): void {
    this.owner.provisional(this, response)
  }

  final(response: SipResponse): void {
    this.owner.final(this, response)
  }

  error(code: TransactionErrorCode): void {
    const { destination } = this.branch.target
    // RFC 5626 §5.3: the connection that was the only way is gone.
    const isFlowGone = code === 'TRANSPORT_FAILED' && destination !== undefined && 'flowId' in destination
    const status = isFlowGone ? 430 : (statusOf[code] ?? 503)
    this.owner.legFailed(this, status, code === 'TIMEOUT' ? 'timeout' : 'transport')
  }
}
