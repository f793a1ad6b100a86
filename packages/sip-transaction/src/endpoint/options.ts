/** What a SipStack and its requests are made from: the option types of the public API. */
import type {
  HeaderInit,
  NameAddr,
  Reason,
  Refresher,
  SipRequest,
  SipResponse,
  SipUri,
  Uri,
} from '@carillon/sip-parser'
import type { DigestAccount } from '../auth/choose'
import type { LocateLimits, ProtectionLimits, StackLimits, TransactionLimits } from '../limits'
import type { Clock, DnsResolver, FlowAddress, Logger, Random, TransportFactory, TransportLimits } from '../ports'
import type { TimerSettings } from '../timers/timer-settings'
import type { TlsOptions } from '../transport/tls/tls-options'
import type { WebSocketOptions } from '../transport/ws/ws-transport'
import type { EarlyDialog } from './calls/early-dialog'
import type { ProtectionOptions } from './protection-options'
import type { ProxyStackOptions } from './proxy/proxy-options'
import type { IncomingRequest } from './requests/incoming-request'
import type { NodeDnsOptions } from './wire/node-dns'

/** Options of `SipStack.create`. */
export interface SipStackOptions {
  /** Where to listen: `udp://127.0.0.1:5060`, `tcp://[::1]:0`. Port 0 takes a free one. */
  readonly listen: readonly (string | ListenOptions)[]
  /** Host, or host:port, that Via and Contact show instead of the bound address. */
  readonly advertise?: string
  /** The value of User-Agent and Server. */
  readonly userAgent?: string
  /**
   * Headers of every request that this stack makes itself, inside calls too; a header of the same name in the request goes
   * before. Not of CANCEL and the ACK of a failure, nor of what is proxied.
   */
  readonly headers?: readonly HeaderInit[]
  /** Option tags understood besides the stack's own; they go into Supported and are not refused in Require. */
  readonly supported?: readonly string[]
  /** Certificates and trust of `tls://` and `wss://` listeners. Without a certificate they only open connections. */
  readonly tls?: TlsOptions
  /** Path and origins of `ws://` and `wss://` listeners. */
  readonly websocket?: WebSocketOptions
  /** Transport factories by listen scheme; those of UDP, TCP, TLS and WebSocket when absent. */
  readonly transports?: readonly TransportFactory[]
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  /** How names are looked up (RFC 3263): name servers other than the system's, or a resolver of your own. */
  readonly dns?: DnsOptions
  readonly limits?: {
    readonly stack?: Partial<StackLimits>
    readonly locate?: Partial<LocateLimits>
    readonly protection?: Partial<ProtectionLimits>
    readonly transaction?: Partial<TransactionLimits>
    readonly transport?: Partial<TransportLimits>
  }
  readonly timers?: Partial<TimerSettings>
  /**
   * This stack is a proxy for what comes from outside of dialogs: Require is for whom it is proxied to, and a request that
   * comes again by another way is no merged one (RFC 3261 §16.3, RFC 5393 §3). `request.proxy` works without it too.
   */
  readonly proxy?: ProxyStackOptions | true
  /**
   * Under load the thread rests for up to two milliseconds after each turn that has left nothing to do, so that it wakes up
   * for several datagrams at once, which halves what a small one costs; see docs/guides/protection.md. Not done while
   * other work of the process wants the thread, nor below 4000 datagrams a second. Default true.
   */
  readonly coalesce?: boolean
  /** What the stack does about scanners, floods and overload. */
  readonly protection?: ProtectionOptions
  /**
   * Reliable provisional responses (RFC 3262). `supported`, the default: offered, and used where the peer requires them
   * or `reply` asks for them; `always`: used for every provisional response but 100 to a peer that supports them;
   * `never`: neither offered nor taken, and an INVITE that requires them gets 420.
   */
  readonly reliableProvisional?: ReliablePolicy
  /** Methods that calls take beside the stack's own, for Allow: `REFER`, `INFO`, `MESSAGE`. */
  readonly callMethods?: readonly string[]
  /** INFO packages that calls take (RFC 6086); INVITEs and answers say so in Recv-Info. INFO of others gets 469. */
  readonly infoPackages?: readonly string[]
  /** Session timers (RFC 4028), or false for none. On by default, for peers that support them. */
  readonly sessionTimers?: SessionTimerOptions | false
}

/** When provisional responses are reliable. */
export type ReliablePolicy = 'never' | 'supported' | 'always'

/** How session timers are negotiated (RFC 4028). */
export interface SessionTimerOptions {
  /** The interval to ask for, in seconds; default 1800. */
  readonly expiresSeconds?: number
  /** The smallest interval to take, in seconds, at least 90, which is the default; a smaller one gets 422. */
  readonly minSeconds?: number
  /** False to go along with the timers of peers, and ask for none. Default true. */
  readonly offer?: boolean
  /** Who is to refresh a call that comes in, where its caller leaves that open: default `uac`, the caller. */
  readonly refresher?: Refresher
}

/** A listener with settings of its own. */
export interface ListenOptions {
  readonly uri: string
  /** In place of the stack's `advertise`: host, or host:port, that Via and Contact show for this listener. */
  readonly advertise?: string
}

/** How a stack looks names up (RFC 3263). */
export interface DnsOptions extends NodeDnsOptions {
  /** In place of Node's; then nothing else but `followSentBy` is looked at. The stack does not close it. */
  readonly resolver?: DnsResolver
  /**
   * Sends an answer whose connection is gone to the servers that the DNS names for the Via (RFC 3263 §5), which lets
   * any sender choose who gets it. For clusters whose members answer for each other. Default false.
   */
  readonly followSentBy?: boolean
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

/**
 * User name and password for digest challenges. They are never logged. Hand in the same object again, and requests to
 * a server that has asked before are not asked again.
 */
export type UserCredentials = DigestAccount

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
  /**
   * Told of each provisional response but 100, once: repetitions of a reliable one are not news. `early` is its early
   * dialog; absent when the response has no To tag.
   */
  readonly onProvisional?: (response: SipResponse, early: EarlyDialog | undefined) => void
  /**
   * Reliable provisional responses of the callee (RFC 3262): `supported` lets it choose, `required` refuses a callee that
   * has none. The default is what the stack's `reliableProvisional` says: `required` is never a default.
   */
  readonly reliable?: 'never' | 'supported' | 'required'
}

/** Options of a request inside a call. */
export interface InDialogOptions {
  readonly headers?: readonly HeaderInit[]
  readonly body?: Uint8Array | string
  readonly contentType?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/**
 * Handles a request; `next` runs the handlers after it. Returning does not answer: `request.reply` does. A promise is waited
 * for, and one that rejects is answered 500; whatever else comes back is ignored.
 */
export type Handler = (request: IncomingRequest, next: () => Promise<void>) => unknown

/** Options of `IncomingRequest.reply`. */
export interface ReplyOptions {
  readonly reason?: string
  readonly headers?: readonly HeaderInit[]
  readonly body?: Uint8Array | string
  readonly contentType?: string
  /** False for no Contact, or a Contact value in place of the stack's own. */
  readonly contact?: boolean | string
  /**
   * A provisional response to an INVITE is repeated until its PRACK comes, if the caller supports that (RFC 3262); it
   * always is when the caller requires it. Responses go one at a time, and a 2xx waits for the PRACK of a description.
   */
  readonly reliable?: boolean
  /**
   * True to keep nothing of the request once it is answered (RFC 3261 §8.2.7): a copy of it comes to the handlers again and
   * has to get the same answer, with the same To tag. For challenges. INVITE and requests in a dialog keep their state.
   */
  readonly stateless?: boolean
}

/** Options of `IncomingRequest.accept`. */
export interface AcceptOptions {
  readonly sdp?: Uint8Array | string
  readonly headers?: readonly HeaderInit[]
  /** Aborting stops the wait for the ACK and hangs up. */
  readonly signal?: AbortSignal
}

export type { BridgeOptions, BridgeTarget, SdpAnchor } from './bridge/bridge-options'

/** How a call ended. */
export interface CallEnd {
  readonly by: 'local' | 'remote' | 'timeout' | 'transport'
  /** The value of the peer's Reason header (RFC 3326), or a few words of ours. */
  readonly reason?: string
  /** The peer's Reason header, read. */
  readonly reasons?: readonly Reason[]
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
  /** Subscriptions of either side, those that wait for their first NOTIFY among them, and publications of ours. */
  readonly subscriptions: number
  /** Requests being proxied. */
  readonly proxied: number
  /** Connections open now. */
  readonly connections: number
  /** The part of the traffic that overload control turns away now, 0 to 1. */
  readonly reduction: number
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
  /** A connection that carried SIP is gone, or its peer has ended it: nothing new goes out on that flow. */
  readonly connectionClosed: {
    readonly flowId: number
    readonly transport: string
    readonly remote: FlowAddress
    readonly local: FlowAddress
    readonly reason: string
  }
  /** As `connectionClosed`, for datagram flows as well, which close with their socket. */
  readonly flowClosed: { readonly flowId: number; readonly remote: FlowAddress; readonly reason: string }
  /**
   * The Authentication-Info of a final response holds a proof that is none (RFC 7616 §3.5): whoever answered does not
   * know the password that the request was sent with. The response is handed over as it came; not to trust it is up to you.
   */
  readonly serverUnproven: {
    readonly method: string
    /** The Request-URI. */
    readonly uri: Uri
    readonly callId: string
    readonly status: number
    readonly remote: FlowAddress
  }
  readonly dropped: {
    readonly reason: import('./counters').DropReason
    readonly remote: FlowAddress
    readonly detail: string
  }
}
