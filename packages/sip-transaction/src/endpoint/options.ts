/** What a SipStack and its requests are made from: the option types of the public API. */
import type { HeaderInit, NameAddr, SipRequest, SipResponse, SipUri, Uri } from '@carillon/sip-parser'
import type { BridgeEvent } from '../b2bua/bridge-types'
import type { StackLimits, TransactionLimits } from '../limits'
import type { Clock, DnsResolver, FlowAddress, Logger, Random, TransportFactory, TransportLimits } from '../ports'
import type { TimerSettings } from '../timers/timer-settings'
import type { IncomingRequest } from './incoming-request'

/** Options of `SipStack.create`. */
export interface SipStackOptions {
  /** Where to listen: `udp://127.0.0.1:5060`, `tcp://[::1]:0`. Port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Host, or host:port, that Via and Contact show instead of the bound address. */
  readonly advertise?: string
  /** The value of User-Agent and Server. */
  readonly userAgent?: string
  /** Option tags understood besides the stack's own; they go into Supported and are not refused in Require. */
  readonly supported?: readonly string[]
  /** Transport factories by listen scheme; UDP and TCP when absent. */
  readonly transports?: readonly TransportFactory[]
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly dns?: DnsResolver
  readonly limits?: {
    readonly stack?: Partial<StackLimits>
    readonly transaction?: Partial<TransactionLimits>
    readonly transport?: Partial<TransportLimits>
  }
  readonly timers?: Partial<TimerSettings>
}

/** A socket that the stack listens on. */
export interface Listener extends FlowAddress {
  /** The URI by which this stack is reached there. */
  readonly uri: SipUri
}

/** Where a request goes, when not where its URI says: an address, or a flow that is known by its id. */
export type ExplicitDestination =
  | FlowAddress
  | (FlowAddress & { readonly flowId?: number })
  | { readonly flowId: number }

/** User name and password for digest challenges. They are never logged. */
export interface UserCredentials {
  readonly username: string
  readonly password: string
}

/** What every outgoing request can carry. */
export interface OutgoingInit {
  readonly from?: string | NameAddr
  readonly to?: string | NameAddr
  /** True for the stack's own Contact (the default where a dialog is made), false for none, or a Contact value. */
  readonly contact?: boolean | string
  readonly headers?: readonly HeaderInit[]
  readonly body?: Uint8Array | string
  readonly contentType?: string
  /** Route values, nearest hop first. */
  readonly routes?: readonly string[]
  readonly destination?: ExplicitDestination
  readonly credentials?: UserCredentials
  readonly callId?: string
  readonly cseq?: number
  readonly signal?: AbortSignal
  /** How long to wait for the final response; 64*T1 rules when absent. */
  readonly timeoutMs?: number
}

/** Options of `SipStack.request`. */
export interface OutgoingRequestInit extends OutgoingInit {
  readonly method: string
  readonly uri: string | Uri
}

/** Options of `SipStack.invite`. */
export interface InviteOptions extends OutgoingInit {
  /** The offer; without it the callee makes the offer and `answer` must give the answer. */
  readonly sdp?: string | Uint8Array
  /** Gives the answer to an offer that came in the 2xx (late offer); its result goes into the ACK. */
  readonly answer?: (offer: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>
  /** Told of each provisional response but 100. */
  readonly onProvisional?: (response: SipResponse) => void
}

/** Options of a request inside a call. */
export interface InDialogOptions {
  readonly headers?: readonly HeaderInit[]
  readonly body?: Uint8Array | string
  readonly contentType?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Handles a request; `next` runs the handlers after it. Returning does not answer: `request.reply` does. */
export type Handler = (request: IncomingRequest, next: () => Promise<void>) => void | Promise<void>

/** Options of `IncomingRequest.reply`. */
export interface ReplyOptions {
  readonly reason?: string
  readonly headers?: readonly HeaderInit[]
  readonly body?: Uint8Array | string
  readonly contentType?: string
  /** False for no Contact, or a Contact value in place of the stack's own. */
  readonly contact?: boolean | string
}

/** Options of `IncomingRequest.accept`. */
export interface AcceptOptions {
  readonly sdp?: Uint8Array | string
  readonly headers?: readonly HeaderInit[]
  /** Aborting stops the wait for the ACK and hangs up. */
  readonly signal?: AbortSignal
}

/** One place to call. */
export interface BridgeTarget {
  readonly uri: string | SipUri
  readonly destination?: ExplicitDestination
  readonly headers?: readonly HeaderInit[]
  readonly credentials?: UserCredentials
  readonly routes?: readonly string[]
}

/**
 * Rewrites session descriptions so that media runs through a relay. `offer('a', sdp)`: side a offers, the result goes
 * to b; `answer('b', sdp)`: b answered, the result goes to a. The same object serves re-INVITEs either way. Calls come
 * one at a time. A rejection refuses the call with 488 or 502, or with the `status` (400–699) that the error carries:
 * 503 says that the caller may try again when there is room.
 */
export interface SdpAnchor {
  offer(side: 'a' | 'b', sdp: Uint8Array): Promise<Uint8Array>
  answer(side: 'a' | 'b', sdp: Uint8Array): Promise<Uint8Array>
  release(): void | Promise<void>
}

/** Options of `IncomingRequest.bridge`. */
export interface BridgeOptions {
  /** The media anchor; without it descriptions pass unchanged and media runs between the two sides directly. */
  readonly sdp?: SdpAnchor
  /** From of the called legs; the caller's when absent. */
  readonly from?: NameAddr | string
  /** To of the called legs; the target when absent. */
  readonly to?: NameAddr | string
  readonly headers?: readonly HeaderInit[]
  readonly ringTimeoutMs?: number
  readonly maxDurationMs?: number
  readonly mode?: 'parallel'
  /** Aborting hangs the bridge up. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: BridgeEvent) => void
}

/** How a call ended. */
export interface CallEnd {
  readonly by: 'local' | 'remote' | 'timeout' | 'transport'
  /** The value of the peer's Reason header (RFC 3326), or a few words of ours. */
  readonly reason?: string
}

/** Gauges and counters of one stack. */
export interface StackStats {
  readonly transactions: number
  readonly dialogs: number
  readonly calls: number
  readonly bridges: number
  /** Incoming INVITEs without a final answer. */
  readonly ringing: number
  /** Outgoing requests without a final answer. */
  readonly requests: number
  /** Connections open now. */
  readonly connections: number
  readonly counters: import('./counters').StackCounters
}

/** What an observer sees of one message. */
export interface MessageEvent {
  readonly direction: 'in' | 'out'
  /** The whole message; not to be changed. */
  readonly bytes: Uint8Array
  /** Request line or status line. */
  readonly startLine: string
  readonly transport: string
  /** Absent when the transport has not chosen a connection yet. */
  readonly local?: FlowAddress
  readonly remote: FlowAddress
  /** The parsed message, when it came in. */
  readonly message?: SipRequest | SipResponse
}

/** Events of `SipStack.on`: for observers; nothing they do changes what the stack does. */
export interface StackEvents {
  readonly messageIn: MessageEvent
  readonly messageOut: MessageEvent
  readonly flowClosed: { readonly flowId: number; readonly remote: FlowAddress; readonly reason: string }
  readonly dropped: {
    readonly reason: import('./counters').DropReason
    readonly remote: FlowAddress
    readonly detail: string
  }
}
