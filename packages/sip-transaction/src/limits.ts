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
  /** Dialogs that one outgoing INVITE may make by forking; answers of further ones are ended with BYE. */
  readonly forkedDialogsMax: number
  /** Branches of one bridge. */
  readonly bridgeTargetsMax: number
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
  /** How long a name look-up may take. */
  readonly dnsTimeoutMs: number
}

/** The defaults of {@link StackLimits}. */
export const defaultStackLimits: StackLimits = {
  dialogsMax: 50_000,
  forkedDialogsMax: 16,
  bridgeTargetsMax: 32,
  inviteAnswerTimeoutMs: 600_000,
  ringTimeoutMs: 180_000,
  authAttemptsMax: 2,
  closeGraceMs: 10_000,
  closeDrainMs: 2_000,
  retryAfterSeconds: 10,
  dnsTimeoutMs: 5_000,
}

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
