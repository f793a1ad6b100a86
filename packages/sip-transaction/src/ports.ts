/**
 * Ports: what the stack needs from the world, as interfaces, so that tests can hand in a world of their own.
 * Time, chance, logging and the network never reach protocol logic by any other way.
 */

/** Two clocks and one way to be woken. Timers run on the monotonic clock only. */
export interface Clock {
  /** Milliseconds that never run backwards; their zero means nothing. */
  monotonicMs(): number
  /** Milliseconds since the Unix epoch, for Date headers, nonces and records. */
  wallMs(): number
  /** Calls `wake` once, no earlier than `atMs` on the monotonic clock. */
  schedule(atMs: number, wake: () => void): ScheduledWake
}

/** A wake-up that has been asked for. */
export interface ScheduledWake {
  /** Forgets the wake-up; does nothing when it has already happened. */
  cancel(): void
}

/**
 * How much is done in one turn of the event loop. What other programs of this process wait for, media first of all, waits
 * no longer than that.
 */
export interface Turns {
  /** False when this turn has had its share of work: what can wait should. */
  hasTime(): boolean
  /** Calls `work` in a later turn, and what has waited longest first. */
  later(work: () => void): void
}

/** Tells how long the event loop keeps work waiting. */
export interface LoadProbe {
  /** The mean delay since the last call, in milliseconds. */
  delayMs(): number
  /** Stops measuring. */
  close(): void
}

/** A source of unpredictable values; branches, tags and Call-IDs are made of them. */
export interface Random {
  /** A token of at least `bits` bits of entropy, made only of characters of the RFC 3261 §25.1 token set. */
  token(bits: number): string
  /** A number in [0, 1). */
  fraction(): number
  /** Fresh random bytes; the caller owns them. */
  bytes(length: number): Uint8Array
}

/** Structured logging. Implementations must not throw. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** A place on the network, in the terms of a Via header: transport upper-case, IPv6 without brackets. */
export interface FlowAddress {
  readonly transport: string
  readonly address: string
  readonly port: number
}

/**
 * One path to one peer: a TCP connection, or a UDP socket together with a remote address. Replies go back on the
 * flow their request came on. Reliability and security are properties of the flow; nothing asks for its transport's name.
 */
export interface Flow {
  /** Unique in its stack; never reused. */
  readonly id: number
  readonly transport: string
  readonly isReliable: boolean
  readonly isSecure: boolean
  readonly remote: FlowAddress
  /** The local listener or socket the flow belongs to. */
  readonly local: FlowAddress
  /** False once it can carry nothing more. */
  readonly isOpen: boolean
  /**
   * SIP domains that the peer has proved to be by its certificate, lower-case (RFC 5922 §7.1). Absent or empty when it
   * showed none, or none that a trusted authority has signed.
   */
  readonly peerIdentities?: readonly string[]
  /** True when a reliable flow keeps messages apart by itself, so that they need no Content-Length (RFC 7118 §4.2). */
  readonly keepsMessagesApart?: boolean
}

/** Where a message is to go: a known flow, or an address for which the transport finds or opens one. */
export type Destination = { readonly kind: 'flow'; readonly flow: Flow } | AddressDestination

/** An address to send to, over an open connection or a new one. */
export interface AddressDestination {
  readonly kind: 'address'
  readonly address: FlowAddress
  /**
   * The name that the certificate of a secure transport must carry: the host of the URI, before any look-up, for what
   * the DNS says proves nothing (RFC 5922 §7.3). Absent when the user named the address: then the address counts.
   */
  readonly serverName?: string | undefined
}

/** What a transport tells its owner. Calls never re-enter the transport synchronously from inside a send. */
export interface TransportSink {
  /** One whole message (datagram, or framed from a stream). `bytes` belongs to the sink from now on. */
  message(bytes: Uint8Array, flow: Flow): void
  /**
   * Bytes that are no message: counted and dropped. The transport has closed the flow if it is a stream. With `head`,
   * the head of a message whose end cannot be found, the flow still takes one answer and closes after this call.
   */
  garbage(reason: string, flow: Flow, head?: Uint8Array): void
  flowOpened(flow: Flow): void
  /** Nothing new is to be begun on the flow. Answers still due may go out on it while it says that it is open. */
  flowClosed(flow: Flow, reason: string): void
  /** A connection that never became a flow: over a cap, or its handshake failed. The reason names nobody. */
  refused?(remote: FlowAddress, reason: string): void
}

/** One listener of one transport, and the flows that begin or end at it. */
export interface Transport {
  /** Upper-case name as in Via: UDP, TCP. */
  readonly name: string
  readonly isReliable: boolean
  readonly isSecure: boolean
  /** The bound address; the real port after binding to port 0. */
  readonly local: FlowAddress
  /** True when it can reach that address (address family, loopback and so on). */
  canReach(address: FlowAddress): boolean
  /**
   * Sends one message. Never throws and never blocks; calls `failed` once (asynchronously) with a reason when the
   * bytes could not be handed to the network, or when the connection opened for them was ended by a peer that had not
   * said a word. `bytes` must not change afterwards.
   */
  send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void
  /** Stops listening, closes every flow, resolves when nothing is left open. */
  close(): Promise<void>
  /** True when peers may learn who we are, so that a request may offer its connection for reuse (RFC 5923 §5). */
  readonly offersAlias?: boolean
  /**
   * Lets requests to that port of the flow's remote address go by the flow, when they are for a domain that its peer has
   * proved to be (RFC 5923 §8.2). Does nothing on a flow without a verified identity.
   */
  alias?(flow: Flow, port: number): void
  /**
   * Asks that place for a sign of life every so often, for transports without connections (RFC 5626 §4.4.2).
   * @param lost called once when it gives none, or when our address has changed on the way; then it is over
   * @returns ends it
   */
  keepAlive?(remote: FlowAddress, everyMs: number, lost: (reason: string) => void): () => void
  /**
   * Pings a connection after 80 to 100 % of that time, again and again (RFC 5626 §4.4.1), and closes it when no answer
   * comes. For transports with connections; `everyMs` is positive.
   * @returns ends it
   */
  keepFlowAlive?(flow: Flow, everyMs: number): () => void
}

/** Makes transports for the listen URIs of one scheme, so that no central switch names them all. */
export interface TransportFactory {
  /** Lower-case scheme of the listen URI: udp, tcp. */
  readonly scheme: string
  /** Binds; rejects with SipTransportError code ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE or ADDRESS_FORBIDDEN. */
  listen(address: string, port: number, sink: TransportSink, context: TransportContext): Promise<Transport>
}

/** What a stack lends to its transports. */
export interface TransportContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: TransportLimits
  nextFlowId(): number
  /** Absent when a turn may take as long as it takes, as in a simulation. */
  readonly turns?: Turns | undefined
}

/** Caps of a transport; each has a row in docs/LIMITS.md. */
export interface TransportLimits {
  /** Connections of one listener at once; over it new ones are closed. */
  readonly connectionsMax: number
  /** Connections from one IPv4 address or IPv6 /64 network; over it new ones are closed. */
  readonly connectionsPerAddressMax: number
  /** How long opening a connection may take; then what waits for it fails. */
  readonly connectTimeoutMs: number
  /** A connection that carried nothing for so long is closed. */
  readonly idleTimeoutMs: number
  /** How long a peer may take over one message, from its first byte to its last. */
  readonly messageTimeoutMs: number
  /** Bytes that wait for a slow peer; over it a connection is closed, and on a datagram socket the send fails. */
  readonly sendQueueBytesMax: number
  /** Bytes of one message; a larger one is garbage, and closes a stream. */
  readonly messageBytesMax: number
  /** How long an accepted connection may stay without one whole message or keep-alive. */
  readonly firstMessageTimeoutMs: number
  /** How long a connection whose peer has ended its side is kept for the answers still owed to it. */
  readonly halfClosedTimeoutMs: number
  /** How long `close()` waits for connections to take the bytes still queued for them. */
  readonly connectionCloseGraceMs: number
  /** How long an accepted connection may take over its TLS handshake, and again over that of WebSocket. */
  readonly handshakeTimeoutMs: number
  /** Bytes of the head of a WebSocket handshake; a longer one gets 431. */
  readonly httpHeadBytesMax: number
  /** How often connections opened from here, and those of WebSocket, are pinged (RFC 5626 §4.4.1); 0 for never. */
  readonly keepAliveMs: number
  /** How often `SipStack.keepAlive` asks a UDP peer for a sign of life (RFC 5626 §4.4.2) when it is not told. */
  readonly datagramKeepAliveMs: number
  /** How long the answer to any keep-alive of ours may take; then the connection is closed, the way is lost. */
  readonly keepAliveAnswerMs: number
  /** Remote addresses that one datagram socket remembers as flows; over it the one unused longest is forgotten. */
  readonly datagramFlowsMax: number
}

/** A NAPTR record (RFC 3403 §4.1). */
export interface NaptrRecord {
  readonly order: number
  readonly preference: number
  readonly flags: string
  readonly service: string
  readonly regexp: string
  /** A domain name; `.` or empty for none. */
  readonly replacement: string
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** A domain name; `.` or empty when the service is decidedly not there. */
  readonly target: string
}

/** What became of one question to the DNS. */
export type DnsAnswer<Entry> =
  | {
      readonly kind: 'found'
      readonly records: readonly Entry[]
      /** How long it may be remembered; absent when the resolver cannot tell. */
      readonly ttlSeconds?: number
    }
  /** The name does not exist, or has no records of this type. */
  | { readonly kind: 'not-found'; readonly ttlSeconds?: number }
  /** The servers gave no usable answer: refused, SERVFAIL, nonsense. */
  | { readonly kind: 'failed' }
  /** Nothing came in time. */
  | { readonly kind: 'timeout' }

/**
 * The Domain Name System, as far as RFC 3263 needs it. Aliases (CNAME) are followed by the resolver. Every method
 * resolves in the end, also when `signal` aborts; a rejection counts as `failed`.
 */
export interface DnsResolver {
  naptr(name: string, signal?: AbortSignal): Promise<DnsAnswer<NaptrRecord>>
  srv(name: string, signal?: AbortSignal): Promise<DnsAnswer<SrvRecord>>
  /** IPv4 addresses. */
  a(name: string, signal?: AbortSignal): Promise<DnsAnswer<string>>
  /** IPv6 addresses. */
  aaaa(name: string, signal?: AbortSignal): Promise<DnsAnswer<string>>
  /** Gives up what is under way and lets go of sockets. */
  close?(): void
}
