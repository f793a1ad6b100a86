/**
 * Typed getters for the headers of calls and subscriptions beyond RFC 3261: reliable responses, events, transfer, session
 * timers, history, preferences. Each names the RFC that governs it.
 */
import {
  type Diversion,
  decodeDiversion,
  decodeReferredBy,
  decodeReferTo,
  type ReferredBy,
  type ReferTo,
} from '../headers/address-kinds'
import {
  decodeJoin,
  decodeReplaces,
  decodeSessionExpires,
  decodeTargetDialog,
  type Join,
  type Replaces,
  type SessionExpires,
  type TargetDialog,
} from '../headers/dialogs'
import { decodeEvent, decodeSubscriptionState, type EventType, type SubscriptionState } from '../headers/events'
import { decodeHistoryEntry, type HistoryEntry } from '../headers/history'
import * as id from '../headers/ids'
import { decodeTokenElement } from '../headers/lists'
import { decodeNameAddr, type NameAddr } from '../headers/name-addr'
import {
  type AnswerMode,
  decodeAnswerMode,
  decodeFeatureSet,
  decodeResourcePriority,
  type FeatureSet,
  type ResourcePriority,
} from '../headers/preferences'
import { decodeReason, type Reason } from '../headers/reason'
import { decodeRAck, decodeRSeq, decodeToken, type RAck } from '../headers/scalars'
import { decodeSessionId, type SessionId } from '../headers/session-id'
import { decodeUserToUser, type UserToUser } from '../headers/user-to-user'
import {
  decodeFlag,
  decodeOneUri,
  decodeOneValue,
  decodeSecondsWithParams,
  decodeValueElement,
  type FlagWithParams,
  type SecondsWithParams,
  type UriWithParams,
  type ValueWithParams,
} from '../headers/values'
import { NetworkHeaders } from './network-headers'

/** The headers of calls and subscriptions. It has no fields: what is decoded is kept by the message. */
export abstract class CallHeaders extends NetworkHeaders {
  /** Values of the Reason header (RFC 3326); not the reason phrase of a response. */
  get reasons(): readonly Reason[] {
    return this.list(id.REASON, decodeReason)
  }

  /** RFC 3262 §7.1. */
  get rseq(): number | undefined {
    return this.first(id.RSEQ, decodeRSeq)
  }

  /** RFC 3262 §7.2. */
  get rack(): RAck | undefined {
    return this.first(id.RACK, decodeRAck)
  }

  /** RFC 6665 §8.2.1. */
  get event(): EventType | undefined {
    return this.first(id.EVENT, decodeEvent)
  }

  /** Event packages (RFC 6665 §8.2.2). */
  get allowEvents(): readonly string[] {
    return this.list(id.ALLOW_EVENTS, decodeTokenElement)
  }

  /** RFC 6665 §8.2.3. */
  get subscriptionState(): SubscriptionState | undefined {
    return this.first(id.SUBSCRIPTION_STATE, decodeSubscriptionState)
  }

  /** RFC 3903 §11.3.1. */
  get sipETag(): string | undefined {
    return this.first(id.SIP_ETAG, decodeToken)
  }

  /** RFC 3903 §11.3.2. */
  get sipIfMatch(): string | undefined {
    return this.first(id.SIP_IF_MATCH, decodeToken)
  }

  /** An entity tag or `*` (RFC 5839 §7.1). */
  get suppressIfMatch(): string | undefined {
    return this.first(id.SUPPRESS_IF_MATCH, decodeToken)
  }

  /** RFC 3515 §2.1. */
  get referTo(): ReferTo | undefined {
    return this.first(id.REFER_TO, decodeReferTo)
  }

  /** RFC 3892 §2.1. */
  get referredBy(): ReferredBy | undefined {
    return this.first(id.REFERRED_BY, decodeReferredBy)
  }

  /** Whether REFER is to make a subscription (RFC 4488 §4). */
  get referSub(): FlagWithParams | undefined {
    return this.first(id.REFER_SUB, decodeFlag)
  }

  /** RFC 7614 §5. */
  get referEventsAt(): UriWithParams | undefined {
    return this.first(id.REFER_EVENTS_AT, decodeOneUri)
  }

  /** RFC 3891 §6.1. */
  get replaces(): Replaces | undefined {
    return this.first(id.REPLACES, decodeReplaces)
  }

  /** RFC 3911 §7.1. */
  get join(): Join | undefined {
    return this.first(id.JOIN, decodeJoin)
  }

  /** RFC 4538 §7. */
  get targetDialog(): TargetDialog | undefined {
    return this.first(id.TARGET_DIALOG, decodeTargetDialog)
  }

  /** RFC 4028 §4. */
  get sessionExpires(): SessionExpires | undefined {
    return this.first(id.SESSION_EXPIRES, decodeSessionExpires)
  }

  /** RFC 4028 §5. */
  get minSE(): SecondsWithParams | undefined {
    return this.first(id.MIN_SE, decodeSecondsWithParams)
  }

  /** Targets that were tried, in order (RFC 7044 §5). */
  get historyInfo(): readonly HistoryEntry[] {
    return this.list(id.HISTORY_INFO, decodeHistoryEntry)
  }

  /** The last diversion first (RFC 5806 §4). */
  get diversions(): readonly Diversion[] {
    return this.list(id.DIVERSION, decodeDiversion)
  }

  /** Who calls, as gateways before RFC 3325 said it (draft-ietf-sip-privacy). */
  get remotePartyIds(): readonly NameAddr[] {
    return this.list(id.REMOTE_PARTY_ID, decodeNameAddr)
  }

  /** RFC 7989 §5. */
  get sessionId(): SessionId | undefined {
    return this.first(id.SESSION_ID, decodeSessionId)
  }

  /** RFC 7433 §4.1. */
  get userToUser(): readonly UserToUser[] {
    return this.list(id.USER_TO_USER, decodeUserToUser)
  }

  /** RFC 6086 §9. */
  get infoPackage(): ValueWithParams | undefined {
    return this.first(id.INFO_PACKAGE, decodeOneValue)
  }

  /** INFO packages that are understood (RFC 6086 §9); empty also for a header without a value. */
  get recvInfo(): readonly ValueWithParams[] {
    return this.list(id.RECV_INFO, decodeValueElement)
  }

  /** RFC 3841 §9.2. */
  get acceptContacts(): readonly FeatureSet[] {
    return this.list(id.ACCEPT_CONTACT, decodeFeatureSet)
  }

  /** RFC 3841 §9.2. */
  get rejectContacts(): readonly FeatureSet[] {
    return this.list(id.REJECT_CONTACT, decodeFeatureSet)
  }

  /** `proxy`, `no-fork`, `queue`, … (RFC 3841 §9.1). */
  get requestDispositions(): readonly string[] {
    return this.list(id.REQUEST_DISPOSITION, decodeTokenElement)
  }

  /** RFC 6809 §6.2.1. */
  get featureCaps(): readonly FeatureSet[] {
    return this.list(id.FEATURE_CAPS, decodeFeatureSet)
  }

  /** RFC 5373 §3. */
  get answerMode(): AnswerMode | undefined {
    return this.first(id.ANSWER_MODE, decodeAnswerMode)
  }

  /** RFC 5373 §3. */
  get privAnswerMode(): AnswerMode | undefined {
    return this.first(id.PRIV_ANSWER_MODE, decodeAnswerMode)
  }

  /** RFC 4412 §3.1. */
  get resourcePriorities(): readonly ResourcePriority[] {
    return this.list(id.RESOURCE_PRIORITY, decodeResourcePriority)
  }

  /** RFC 4412 §3.2. */
  get acceptResourcePriorities(): readonly ResourcePriority[] {
    return this.list(id.ACCEPT_RESOURCE_PRIORITY, decodeResourcePriority)
  }
}
