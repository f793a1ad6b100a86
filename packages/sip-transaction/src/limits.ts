/**
 * Every cap of this package, as named constants. Each has a row in docs/LIMITS.md; over a cap a request is answered
 * 503 with Retry-After, a connection is closed, and everything else is dropped and counted.
 */
import type { TransportLimits } from './ports'

// ---- stack, dialogs, calls ---------------------------------------------------------------------------------------

/** Caps of a SipStack beside those of its transactions and transports. */
export interface StackLimits {
  /** Dialogs alive at once; over it new INVITEs get 503. */
  readonly dialogsMax: number
  /** Requests that wait for their handlers' final answer; over it new ones outside of dialogs get 503. */
  readonly waitingRequestsMax: number
  /** Dialogs that one outgoing INVITE may make by forking; answers of further ones are ended with BYE. */
  readonly forkedDialogsMax: number
  /** INVITEs that ended without a call and are remembered for a late 2xx; over it the oldest is forgotten. */
  readonly refusedInvitesMax: number
  /** How often `reinvite` and `update` try again after 491 before it is the answer. */
  readonly glareRetriesMax: number
  /** Branches of one bridge. */
  readonly bridgeTargetsMax: number
  /** Targets of one proxied request, further ones of its hooks and redirections included. */
  readonly proxyTargetsMax: number
  /** Branches under way at once of a proxied request that came without Max-Breadth, here and further on (RFC 5393 §5.3.3). */
  readonly proxyBreadthMax: number
  /** How long an incoming INVITE may stay without a final answer before it is answered 480. */
  readonly inviteAnswerTimeoutMs: number
  /** How long a bridge lets its targets ring when its options do not say. */
  readonly ringTimeoutMs: number
  /** How often one request is sent again with credentials before a challenge counts as the answer. */
  readonly authAttemptsMax: number
  /** How long `close()` lets live calls go on when its options do not say. */
  readonly closeGraceMs: number
  /** How long `close()` waits for the transactions that end the calls. */
  readonly closeDrainMs: number
  /** What Retry-After says when a cap is reached or the stack closes. */
  readonly retryAfterSeconds: number
  /** How long finding the addresses behind a URI may take, all of its questions together. */
  readonly dnsTimeoutMs: number
  /** Outbound proxies, and so flows, of one registration of ours. */
  readonly registrationFlowsMax: number
  /** The longest lifetime that a registration of ours asks for or believes. */
  readonly registrationSecondsMax: number
  /** A registration of ours is refreshed, or kept alive, no sooner, however short a time the registrar names. */
  readonly registrationRefreshMsMin: number
  /** The wait after the first failure of a registration of ours; it doubles with each further one (RFC 5626 §4.5). */
  readonly registrationRetryMs: number
  /** The longest wait between two attempts, whatever Retry-After says (RFC 5626 §4.5). */
  readonly registrationRetryMsMax: number
  /** How often a datagram flow of a registration of ours is kept alive; a connection a quarter as often (RFC 5626 §4.4). */
  readonly registrationKeepAliveMs: number
  /** Subscriptions alive at once, of either side; over it a SUBSCRIBE gets 503. */
  readonly subscriptionsMax: number
  /** Subscriptions in one dialog; over it a SUBSCRIBE gets 403. */
  readonly subscriptionsPerDialogMax: number
  /** The shortest lifetime that a notifier grants; a SUBSCRIBE for less gets 423 (RFC 6665 §4.2.1.1). */
  readonly subscriptionSecondsMin: number
  /** The longest lifetime that a notifier grants. */
  readonly subscriptionSecondsMax: number
  /** Notifications that wait for whoever iterates over a subscription; over it the oldest is left out. */
  readonly notificationsQueuedMax: number
  /** The longest pause before a subscription or publication that was lost is tried again. */
  readonly eventRetryMsMax: number
}

/** The defaults of {@link StackLimits}. */
export const defaultStackLimits: StackLimits = {
  dialogsMax: 50_000,
  waitingRequestsMax: 20_000,
  forkedDialogsMax: 16,
  refusedInvitesMax: 10_000,
  glareRetriesMax: 4,
  bridgeTargetsMax: 32,
  proxyTargetsMax: 128,
  proxyBreadthMax: 60,
  inviteAnswerTimeoutMs: 600_000,
  ringTimeoutMs: 180_000,
  authAttemptsMax: 4,
  closeGraceMs: 10_000,
  closeDrainMs: 2_000,
  retryAfterSeconds: 10,
  dnsTimeoutMs: 5_000,
  registrationFlowsMax: 8,
  registrationSecondsMax: 604_800,
  registrationRefreshMsMin: 5_000,
  registrationRetryMs: 30_000,
  registrationRetryMsMax: 1_800_000,
  registrationKeepAliveMs: 29_000,
  subscriptionsMax: 50_000,
  subscriptionsPerDialogMax: 16,
  subscriptionSecondsMin: 60,
  subscriptionSecondsMax: 86_400,
  notificationsQueuedMax: 64,
  eventRetryMsMax: 600_000,
}

/** Caps of an {@link EventStateTable} (RFC 3903). */
export interface EventStateLimits {
  /** Publications alive; over it new ones get 503. */
  readonly publicationsMax: number
  /** Publications of one resource: its devices; over it new ones get 403. */
  readonly publicationsPerResourceMax: number
  /** Bytes of one publication; a longer one gets 413. */
  readonly publicationBytesMax: number
  /** The shortest lifetime granted; a shorter one asked for gets 423. */
  readonly publicationSecondsMin: number
  /** The longest lifetime granted; a longer one asked for is cut to it. */
  readonly publicationSecondsMax: number
}

/** The defaults of {@link EventStateLimits}. */
export const defaultEventStateLimits: EventStateLimits = {
  publicationsMax: 50_000,
  publicationsPerResourceMax: 16,
  publicationBytesMax: 16_384,
  publicationSecondsMin: 60,
  publicationSecondsMax: 3_600,
}

/** Bytes of an XML event body; a longer one is unreadable. */
export const xmlBytesMax = 131_072
/** Elements inside each other in an XML event body. */
export const xmlDepthMax = 24
/** Elements of an XML event body. */
export const xmlElementsMax = 8_192
/** Attributes of one element of an XML event body, and namespaces that hold in one place of it. */
export const xmlAttributesMax = 64
/** Dialogs, registrations or users that are kept of notifications which tell changes only. */
export const eventEntriesMax = 4_096

// ---- identity and privacy ----------------------------------------------------------------------------------------

/** Words of one Privacy line that are read; the rest of it is passed over. */
export const privacyValuesMax = 32
/** Entries of a History-Info (RFC 7044) that is read and added to; a longer one passes as it is. */
export const historyEntriesMax = 128
/** Length of an index in History-Info; a History-Info with a longer one passes as it is. */
export const historyIndexLengthMax = 128
/** Diversions in one message that are told apart or added, what their counters say included (RFC 5806). */
export const diversionsMax = 64

// ---- transports, authentication, registrar -----------------------------------------------------------------------

/** The defaults of {@link TransportLimits}; each transport (listener) counts for itself. */
export const defaultTransportLimits: TransportLimits = {
  connectionsMax: 10_000,
  connectionsPerAddressMax: 512,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 900_000,
  messageTimeoutMs: 10_000,
  sendQueueBytesMax: 1_048_576,
  messageBytesMax: 131_072,
  firstMessageTimeoutMs: 30_000,
  halfClosedTimeoutMs: 32_000,
  connectionCloseGraceMs: 1_000,
  handshakeTimeoutMs: 10_000,
  httpHeadBytesMax: 8_192,
  keepAliveMs: 0,
  datagramKeepAliveMs: 29_000,
  keepAliveAnswerMs: 10_000,
  datagramFlowsMax: 65_536,
}

/** Caps of digest authentication (RFC 7616), as server and as client. */
export interface DigestLimits {
  /** How long a nonce is good for; later the client is challenged again with stale=true. */
  readonly nonceLifetimeMs: number
  /** Nonces whose counts are remembered; when one is forgotten early, nonces as old as it become stale. */
  readonly digestNoncesMax: number
  /** Bytes of one credential parameter on average over five of them; longer credentials are malformed. */
  readonly digestParameterBytesMax: number
  /** Credentials of one request that are looked at. */
  readonly digestCredentialsMax: number
  /** Realms for which one client keeps a nonce. */
  readonly digestRealmsMax: number
  /** Challenges of one request that a client answers in turn: several proxies, stale nonces. */
  readonly digestRoundsMax: number
}

/** The defaults of {@link DigestLimits}. */
export const defaultDigestLimits: DigestLimits = {
  nonceLifetimeMs: 300_000,
  digestNoncesMax: 50_000,
  digestParameterBytesMax: 1_024,
  digestCredentialsMax: 8,
  digestRealmsMax: 16,
  digestRoundsMax: 4,
}

/** Caps of the registrar's binding table (RFC 3261 §10). */
export interface BindingLimits {
  /** Contacts in the whole table; over it new ones get 503. */
  readonly bindingsMax: number
  /** Contacts of one address of record; over it new ones get 403. */
  readonly bindingsPerAorMax: number
  /** Contacts in one REGISTER; over it 403. */
  readonly contactsPerRequestMax: number
  /** Bytes of one contact, its parameters, its Path or its Call-ID; longer ones get 400. */
  readonly contactBytesMax: number
  /** Characters kept of a User-Agent header. */
  readonly userAgentLengthMax: number
  /** The shortest lifetime granted; a shorter one asked for gets 423. */
  readonly registrationSecondsMin: number
  /** The longest lifetime granted; a longer one asked for is cut to it. */
  readonly registrationSecondsMax: number
  /** The lifetime of a contact that asks for none. */
  readonly registrationSecondsDefault: number
}

/** The defaults of {@link BindingLimits}. */
export const defaultBindingLimits: BindingLimits = {
  bindingsMax: 200_000,
  bindingsPerAorMax: 10,
  contactsPerRequestMax: 16,
  contactBytesMax: 1_024,
  userAgentLengthMax: 96,
  registrationSecondsMin: 60,
  registrationSecondsMax: 3_600,
  registrationSecondsDefault: 600,
}

// ---- transactions ------------------------------------------------------------------------------------------------

/** Caps of a transaction layer (RFC 3261 §17). */
export interface TransactionLimits {
  /**
   * Transactions that wait for an answer, of either side. Over it a new request gets 503 with Retry-After; requests
   * inside dialogs, CANCEL and outgoing requests may use one eighth more, so that calls can still be ended.
   */
  readonly transactionsMax: number
  /** Answered transactions kept for retransmissions; over it the oldest is forgotten before its timer ends. */
  readonly finishedTransactionsMax: number
  /** Bytes of messages that all transactions keep; over it finished ones are forgotten, then new requests get 503. */
  readonly transactionBytesMax: number
  /** What Retry-After says in such a 503. */
  readonly transactionRetryAfterSeconds: number
}

/** The defaults of {@link TransactionLimits}. */
export const defaultTransactionLimits: TransactionLimits = {
  transactionsMax: 50_000,
  finishedTransactionsMax: 250_000,
  transactionBytesMax: 268_435_456,
  transactionRetryAfterSeconds: 5,
}

// ---- protection --------------------------------------------------------------------------------------------------

/** Caps and periods of what protects a stack from too much: see docs/guides/protection.md. */
export interface ProtectionLimits {
  /** Work of one turn of the event loop; over it what has come in waits for a later turn. */
  readonly turnMs: number
  /** For how long at most the thread rests after a turn under load, while datagrams gather; 0 for not at all. */
  readonly coalesceRestMs: number
  /** From how many datagrams a second on it does. */
  readonly coalesceFromPerSecond: number
  /** Datagrams that wait for a later turn; over it further ones are dropped, as a full socket would. */
  readonly ingressQueueMax: number
  /** Bytes of the datagrams that wait for a later turn; over it as well. */
  readonly ingressQueueBytesMax: number
  /** How long work may wait before new calls are refused with 503: half of T1, after which peers repeat themselves. */
  readonly overloadDelayMs: number
  /** How often the load is looked at, and how fast the answer to it rises and falls. */
  readonly overloadIntervalMs: number
  /** For how long a reduction that a client is told of holds (RFC 7339 §4.3). */
  readonly overloadValidityMs: number
  /** Sources whose rate of requests is remembered; over it the one unheard longest is forgotten. */
  readonly rateLimitedSourcesMax: number
  /** Requests of one source each second, when a rate limit is set without a number. */
  readonly rateLimitPerSecond: number
  /** Requests of one source at once, when a rate limit is set without a number. */
  readonly rateLimitBurst: number
  /** Next hops whose wish for fewer requests is remembered; over it the oldest wish is forgotten. */
  readonly throttledHopsMax: number
  /** The longest time for which a next hop may ask for fewer requests. */
  readonly throttleMsMax: number
}

/** The defaults of {@link ProtectionLimits}. */
export const defaultProtectionLimits: ProtectionLimits = {
  turnMs: 4,
  coalesceRestMs: 2,
  coalesceFromPerSecond: 4_000,
  ingressQueueMax: 4_096,
  ingressQueueBytesMax: 16_777_216,
  overloadDelayMs: 250,
  overloadIntervalMs: 250,
  overloadValidityMs: 1_000,
  rateLimitedSourcesMax: 65_536,
  rateLimitPerSecond: 100,
  rateLimitBurst: 1_000,
  throttledHopsMax: 4_096,
  throttleMsMax: 60_000,
}

// ---- locating ----------------------------------------------------------------------------------------------------

/** Caps of locating servers (RFC 3263): questions, what is remembered of the answers, and servers that failed. */
export interface LocateLimits {
  /** Records of one answer that are looked at; the least preferred of a longer one are left out. */
  readonly dnsRecordsMax: number
  /** SRV targets of one look-up whose addresses are asked for. */
  readonly srvTargetsMax: number
  /** Addresses of one name and family that are tried. */
  readonly addressesPerNameMax: number
  /** Places to which one request is sent in turn. */
  readonly candidatesMax: number
  /** Questions to the DNS under way at once; over it further ones count as failed. */
  readonly dnsQuestionsMax: number
  /** How long one question may take. */
  readonly dnsQuestionTimeoutMs: number
  /** Answers remembered; over it the one unused longest is forgotten. */
  readonly dnsCacheAnswersMax: number
  /** Records of all answers remembered; over it as well. */
  readonly dnsCacheRecordsMax: number
  /** An answer is remembered at least so long, whatever its time to live. */
  readonly dnsTtlMsMin: number
  /** An answer is remembered at most so long, whatever its time to live. */
  readonly dnsTtlMsMax: number
  /** The time to live of an answer whose resolver does not tell it: Node tells none for SRV and NAPTR. */
  readonly dnsTtlMsDefault: number
  /** How long it is remembered that a name does not exist, at most. */
  readonly dnsNegativeTtlMs: number
  /** How long it is remembered that a question failed or timed out. */
  readonly dnsFailureTtlMs: number
  /** Servers remembered as failing; over it the oldest entry is forgotten. */
  readonly blockedServersMax: number
  /** How long a server that could not be reached, or gave no answer, is tried last. */
  readonly blockedServerMs: number
  /** How long a server may ask by Retry-After to be tried last. */
  readonly blockedServerMsMax: number
  /** Bytes of a request over UDP; a longer one goes over TCP where the peer has it (RFC 3261 §18.1.1). */
  readonly datagramRequestBytesMax: number
}

/** The defaults of {@link LocateLimits}. */
export const defaultLocateLimits: LocateLimits = {
  dnsRecordsMax: 256,
  srvTargetsMax: 16,
  addressesPerNameMax: 8,
  candidatesMax: 16,
  dnsQuestionsMax: 1_024,
  dnsQuestionTimeoutMs: 2_000,
  dnsCacheAnswersMax: 10_000,
  dnsCacheRecordsMax: 50_000,
  dnsTtlMsMin: 1_000,
  dnsTtlMsMax: 3_600_000,
  dnsTtlMsDefault: 60_000,
  dnsNegativeTtlMs: 30_000,
  dnsFailureTtlMs: 2_000,
  blockedServersMax: 4_096,
  blockedServerMs: 30_000,
  blockedServerMsMax: 3_600_000,
  datagramRequestBytesMax: 1_300,
}

// ---- observing ---------------------------------------------------------------------------------------------------

/** Caps of a {@link LadderRecorder}. */
export interface TraceLimits {
  /** Call-IDs that are remembered; over it the one without news for longest is forgotten. */
  readonly traceDialogsMax: number
  /** Messages of one Call-ID, repetitions included; over it its oldest are forgotten, and counted. */
  readonly traceMessagesMax: number
  /** Bytes of all messages remembered; over it whole Call-IDs are forgotten, the one without news for longest first. */
  readonly traceBytesMax: number
}

/** The defaults of {@link TraceLimits}. */
export const defaultTraceLimits: TraceLimits = {
  traceDialogsMax: 1_000,
  traceMessagesMax: 500,
  traceBytesMax: 16_777_216,
}

/** Caps of HEP packets and of a {@link HepExporter}. */
export interface HepLimits {
  /** Bytes that wait to be sent to the capture server; what comes over it is dropped and counted. */
  readonly hepQueueBytesMax: number
  /** How long after a failure the capture server is tried again; packets wait meanwhile, up to the cap. */
  readonly hepRetryMs: number
  /** How long `close()` waits for packets that are still queued. */
  readonly hepCloseGraceMs: number
}

/** The defaults of {@link HepLimits}. */
export const defaultHepLimits: HepLimits = {
  hepQueueBytesMax: 4_194_304,
  hepRetryMs: 5_000,
  hepCloseGraceMs: 1_000,
}

/** Chunks of one HEP packet that are looked at; a packet with more is refused. */
export const hepChunksMax = 64
/** Bytes of a HEP packet over UDP; a longer one is dropped and counted. */
export const hepDatagramBytesMax = 65_507
/** Bytes of a HEP packet by its length field. */
export const hepPacketBytesMax = 65_535
