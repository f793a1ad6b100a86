/**
 * The registry of known headers: name, compact form, multi-value rule, codec (RFC 3261 §7.3.3, §20 and the RFCs that
 * added headers). A new header is a new row. Rows are numbered from 1 in order; `ids.ts` names the numbers that code
 * needs. Headers that are not here pass byte for byte.
 */
import { decodeMediaType } from '../body/media-type'
import { decodeDiversion, decodeReferredBy, decodeReferTo, decodeServedUser } from './address-kinds'
import { decodeAuthParams, decodeChallenge, decodeCredentials } from './auth'
import { decodeContentId, decodeDisposition } from './bodies'
import { decodeChargingAddresses, decodeChargingVector } from './charging'
import { decodeContact } from './contact'
import type { HeaderDefinition } from './definition'
import { decodeJoin, decodeReplaces, decodeSessionExpires, decodeTargetDialog } from './dialogs'
import { decodeEvent, decodeSubscriptionState } from './events'
import { decodeHistoryEntry } from './history'
import { decodeIdentity } from './identity'
import { decodeCallIdElement, decodeServiceElement, decodeTokenElement, decodeWarningElement } from './lists'
import { decodeNameAddr, decodeOneNameAddr } from './name-addr'
import { decodeAnswerMode, decodeFeatureSet, decodeResourcePriority } from './preferences'
import { decodePrivacy } from './privacy'
import { decodeReason } from './reason'
import {
  decodeCallId,
  decodeCSeq,
  decodeDate,
  decodeDeltaSeconds,
  decodeFreeText,
  decodeLength,
  decodeMaxForwards,
  decodeRAck,
  decodeRetryAfter,
  decodeRSeq,
  decodeTimestamp,
  decodeToken,
} from './scalars'
import { decodeSecurityMechanism } from './security'
import { decodeSessionId } from './session-id'
import { decodeUserToUser } from './user-to-user'
import {
  decodeFlag,
  decodeOneUri,
  decodeOneValue,
  decodePreference,
  decodeSecondsWithParams,
  decodeTextElement,
  decodeUriElement,
  decodeValueElement,
} from './values'
import { decodeVia } from './via'

export type { Codec, HeaderDefinition, MultiValueRule } from './definition'

/** Every known header, in the order of their ids: the first has id 1. */
export const headerDefinitions: readonly HeaderDefinition[] = [
  { name: 'Via', compact: 'v', rule: 'list', decode: decodeVia },
  { name: 'From', compact: 'f', rule: 'single', decode: decodeOneNameAddr },
  { name: 'To', compact: 't', rule: 'single', decode: decodeOneNameAddr },
  { name: 'Call-ID', compact: 'i', rule: 'single', decode: decodeCallId },
  { name: 'CSeq', rule: 'single', decode: decodeCSeq },
  { name: 'Max-Forwards', rule: 'single', decode: decodeMaxForwards },
  { name: 'Contact', compact: 'm', rule: 'list', decode: decodeContact },
  { name: 'Route', rule: 'list', decode: decodeNameAddr },
  { name: 'Record-Route', rule: 'list', decode: decodeNameAddr },
  { name: 'Content-Length', compact: 'l', rule: 'single', decode: decodeLength },
  { name: 'Content-Type', compact: 'c', rule: 'single', decode: decodeMediaType },
  { name: 'Expires', rule: 'single', decode: decodeDeltaSeconds },
  { name: 'Min-Expires', rule: 'single', decode: decodeDeltaSeconds },
  { name: 'Authorization', rule: 'lines', decode: decodeCredentials },
  { name: 'Proxy-Authorization', rule: 'lines', decode: decodeCredentials },
  { name: 'WWW-Authenticate', rule: 'lines', decode: decodeChallenge },
  { name: 'Proxy-Authenticate', rule: 'lines', decode: decodeChallenge },
  { name: 'Authentication-Info', rule: 'single', decode: decodeAuthParams },
  { name: 'Allow', rule: 'list', mayBeEmpty: true, decode: decodeTokenElement },
  { name: 'Supported', compact: 'k', rule: 'list', mayBeEmpty: true, decode: decodeTokenElement },
  { name: 'Require', rule: 'list', decode: decodeTokenElement },
  { name: 'Proxy-Require', rule: 'list', decode: decodeTokenElement },
  { name: 'Unsupported', rule: 'list', decode: decodeTokenElement },
  { name: 'User-Agent', rule: 'single', mayBeEmpty: true, decode: decodeFreeText },
  { name: 'Server', rule: 'single', mayBeEmpty: true, decode: decodeFreeText },
  { name: 'Retry-After', rule: 'single', decode: decodeRetryAfter },
  { name: 'Reason', rule: 'list', decode: decodeReason },
  { name: 'Subject', compact: 's', rule: 'single', mayBeEmpty: true, decode: decodeFreeText },
  { name: 'Organization', rule: 'single', mayBeEmpty: true, decode: decodeFreeText },
  { name: 'Date', rule: 'single', decode: decodeDate },
  { name: 'Timestamp', rule: 'single', decode: decodeTimestamp },
  { name: 'Warning', rule: 'list', decode: decodeWarningElement },
  { name: 'Accept', rule: 'list', mayBeEmpty: true, decode: decodePreference },
  { name: 'Accept-Encoding', rule: 'list', mayBeEmpty: true, decode: decodePreference },
  { name: 'Accept-Language', rule: 'list', mayBeEmpty: true, decode: decodePreference },
  { name: 'Alert-Info', rule: 'list', decode: decodeUriElement },
  { name: 'Call-Info', rule: 'list', decode: decodeUriElement },
  { name: 'Error-Info', rule: 'list', decode: decodeUriElement },
  { name: 'Content-Disposition', rule: 'single', decode: decodeDisposition },
  { name: 'Content-Encoding', compact: 'e', rule: 'list', decode: decodeTokenElement },
  { name: 'Content-Language', rule: 'list', decode: decodeTokenElement },
  { name: 'In-Reply-To', rule: 'list', decode: decodeCallIdElement },
  { name: 'MIME-Version', rule: 'single', decode: decodeToken },
  { name: 'Priority', rule: 'single', decode: decodeToken },
  { name: 'Reply-To', rule: 'single', decode: decodeOneNameAddr },
  { name: 'RSeq', rule: 'single', decode: decodeRSeq },
  { name: 'RAck', rule: 'single', decode: decodeRAck },
  { name: 'Event', compact: 'o', rule: 'single', decode: decodeEvent },
  { name: 'Allow-Events', compact: 'u', rule: 'list', decode: decodeTokenElement },
  { name: 'Subscription-State', rule: 'single', decode: decodeSubscriptionState },
  { name: 'Refer-To', compact: 'r', rule: 'single', decode: decodeReferTo },
  { name: 'Referred-By', compact: 'b', rule: 'single', decode: decodeReferredBy },
  { name: 'Replaces', rule: 'single', decode: decodeReplaces },
  { name: 'Session-Expires', compact: 'x', rule: 'single', decode: decodeSessionExpires },
  { name: 'Min-SE', rule: 'single', decode: decodeSecondsWithParams },
  { name: 'Path', rule: 'list', decode: decodeNameAddr },
  { name: 'Service-Route', rule: 'list', decode: decodeNameAddr },
  { name: 'P-Asserted-Identity', rule: 'list', decode: decodeNameAddr },
  { name: 'P-Preferred-Identity', rule: 'list', decode: decodeNameAddr },
  { name: 'SIP-ETag', rule: 'single', decode: decodeToken },
  { name: 'SIP-If-Match', rule: 'single', decode: decodeToken },
  { name: 'Privacy', rule: 'single', decode: decodePrivacy },
  { name: 'History-Info', rule: 'list', decode: decodeHistoryEntry },
  { name: 'Diversion', rule: 'list', decode: decodeDiversion },
  { name: 'Remote-Party-ID', rule: 'list', decode: decodeNameAddr },
  { name: 'Session-ID', rule: 'single', decode: decodeSessionId },
  { name: 'User-to-User', rule: 'list', decode: decodeUserToUser },
  { name: 'Identity', compact: 'y', rule: 'lines', decode: decodeIdentity },
  { name: 'Identity-Info', compact: 'n', rule: 'single', decode: decodeOneUri },
  { name: 'Join', rule: 'single', decode: decodeJoin },
  { name: 'Target-Dialog', rule: 'single', decode: decodeTargetDialog },
  { name: 'Refer-Sub', rule: 'single', decode: decodeFlag },
  { name: 'Refer-Events-At', rule: 'single', decode: decodeOneUri },
  { name: 'Suppress-If-Match', rule: 'single', decode: decodeToken },
  { name: 'Info-Package', rule: 'single', decode: decodeOneValue },
  { name: 'Recv-Info', rule: 'list', mayBeEmpty: true, decode: decodeValueElement },
  { name: 'Accept-Contact', compact: 'a', rule: 'list', decode: decodeFeatureSet },
  { name: 'Reject-Contact', compact: 'j', rule: 'list', decode: decodeFeatureSet },
  { name: 'Request-Disposition', compact: 'd', rule: 'list', decode: decodeTokenElement },
  { name: 'Feature-Caps', rule: 'list', decode: decodeFeatureSet },
  { name: 'Answer-Mode', rule: 'single', decode: decodeAnswerMode },
  { name: 'Priv-Answer-Mode', rule: 'single', decode: decodeAnswerMode },
  { name: 'Resource-Priority', rule: 'list', decode: decodeResourcePriority },
  { name: 'Accept-Resource-Priority', rule: 'list', mayBeEmpty: true, decode: decodeResourcePriority },
  { name: 'Max-Breadth', rule: 'single', decode: decodeDeltaSeconds },
  { name: 'Flow-Timer', rule: 'single', decode: decodeDeltaSeconds },
  { name: 'Security-Client', rule: 'list', decode: decodeSecurityMechanism },
  { name: 'Security-Server', rule: 'list', decode: decodeSecurityMechanism },
  { name: 'Security-Verify', rule: 'list', decode: decodeSecurityMechanism },
  { name: 'Policy-Contact', rule: 'list', decode: decodeNameAddr },
  { name: 'Policy-ID', rule: 'list', decode: decodeNameAddr },
  { name: 'Permission-Missing', rule: 'list', decode: decodeNameAddr },
  { name: 'Trigger-Consent', rule: 'list', decode: decodeNameAddr },
  { name: 'Content-ID', rule: 'single', decode: decodeContentId },
  { name: 'Geolocation', rule: 'list', decode: decodeUriElement },
  { name: 'Geolocation-Routing', rule: 'single', decode: decodeOneValue },
  { name: 'Geolocation-Error', rule: 'single', decode: decodeOneValue },
  { name: 'P-Access-Network-Info', rule: 'list', decode: decodeValueElement },
  { name: 'P-Answer-State', rule: 'single', decode: decodeOneValue },
  { name: 'P-Asserted-Service', rule: 'list', decode: decodeServiceElement },
  { name: 'P-Preferred-Service', rule: 'list', decode: decodeServiceElement },
  { name: 'P-Associated-URI', rule: 'list', mayBeEmpty: true, decode: decodeNameAddr },
  { name: 'P-Called-Party-ID', rule: 'single', decode: decodeOneNameAddr },
  { name: 'P-Charging-Function-Addresses', rule: 'single', decode: decodeChargingAddresses },
  { name: 'P-Charging-Vector', rule: 'single', decode: decodeChargingVector },
  { name: 'P-Early-Media', rule: 'list', mayBeEmpty: true, decode: decodeTokenElement },
  { name: 'P-Private-Network-Indication', rule: 'single', decode: decodeOneValue },
  { name: 'P-Served-User', rule: 'single', decode: decodeServedUser },
  { name: 'P-User-Database', rule: 'single', decode: decodeOneUri },
  { name: 'P-Visited-Network-ID', rule: 'list', decode: decodeTextElement },
]

/** The entry with this id, 1 or more. */
export function headerDefinition(id: number): HeaderDefinition {
  return headerDefinitions[id - 1]!
}
