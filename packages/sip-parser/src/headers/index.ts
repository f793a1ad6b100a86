/**
 * The registry of known headers: name, compact form, multi-value rule, codec (RFC 3261 §7.3.3, §20 and the RFCs that
 * added headers). A new header is a new row. Rows are numbered from 1 in order; `ids.ts` names the numbers that code
 * needs. Headers that are not here pass byte for byte.
 */
import { decodeMediaType } from '../body/media-type'
import { decodeAuthParams, decodeChallenge, decodeCredentials } from './auth'
import { decodeContact } from './contact'
import type { HeaderDefinition } from './definition'
import {
  decodeCallIdElement,
  decodeTokenElement,
  decodeUriElement,
  decodeValueElement,
  decodeWarningElement,
} from './lists'
import { decodeNameAddr, decodeOneNameAddr } from './name-addr'
import {
  decodeCallId,
  decodeCallIdWithParams,
  decodeCSeq,
  decodeDate,
  decodeDeltaSeconds,
  decodeFreeText,
  decodeLength,
  decodeMaxForwards,
  decodeRAck,
  decodeRetryAfter,
  decodeRSeq,
  decodeSecondsWithParams,
  decodeTimestamp,
  decodeToken,
  decodeTokenWithParams,
} from './scalars'
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
  { name: 'Reason', rule: 'list', decode: decodeValueElement },
  { name: 'Subject', compact: 's', rule: 'single', mayBeEmpty: true, decode: decodeFreeText },
  { name: 'Organization', rule: 'single', mayBeEmpty: true, decode: decodeFreeText },
  { name: 'Date', rule: 'single', decode: decodeDate },
  { name: 'Timestamp', rule: 'single', decode: decodeTimestamp },
  { name: 'Warning', rule: 'list', decode: decodeWarningElement },
  { name: 'Accept', rule: 'list', mayBeEmpty: true, decode: decodeValueElement },
  { name: 'Accept-Encoding', rule: 'list', mayBeEmpty: true, decode: decodeValueElement },
  { name: 'Accept-Language', rule: 'list', mayBeEmpty: true, decode: decodeValueElement },
  { name: 'Alert-Info', rule: 'list', decode: decodeUriElement },
  { name: 'Call-Info', rule: 'list', decode: decodeUriElement },
  { name: 'Error-Info', rule: 'list', decode: decodeUriElement },
  { name: 'Content-Disposition', rule: 'single', decode: decodeTokenWithParams },
  { name: 'Content-Encoding', compact: 'e', rule: 'list', decode: decodeTokenElement },
  { name: 'Content-Language', rule: 'list', decode: decodeTokenElement },
  { name: 'In-Reply-To', rule: 'list', decode: decodeCallIdElement },
  { name: 'MIME-Version', rule: 'single', decode: decodeToken },
  { name: 'Priority', rule: 'single', decode: decodeToken },
  { name: 'Reply-To', rule: 'single', decode: decodeOneNameAddr },
  { name: 'RSeq', rule: 'single', decode: decodeRSeq },
  { name: 'RAck', rule: 'single', decode: decodeRAck },
  { name: 'Event', compact: 'o', rule: 'single', decode: decodeTokenWithParams },
  { name: 'Allow-Events', compact: 'u', rule: 'list', decode: decodeTokenElement },
  { name: 'Subscription-State', rule: 'single', decode: decodeTokenWithParams },
  { name: 'Refer-To', compact: 'r', rule: 'single', decode: decodeOneNameAddr },
  { name: 'Referred-By', compact: 'b', rule: 'single', decode: decodeOneNameAddr },
  { name: 'Replaces', rule: 'single', decode: decodeCallIdWithParams },
  { name: 'Session-Expires', compact: 'x', rule: 'single', decode: decodeSecondsWithParams },
  { name: 'Min-SE', rule: 'single', decode: decodeSecondsWithParams },
  { name: 'Path', rule: 'list', decode: decodeNameAddr },
  { name: 'Service-Route', rule: 'list', decode: decodeNameAddr },
  { name: 'P-Asserted-Identity', rule: 'list', decode: decodeNameAddr },
  { name: 'P-Preferred-Identity', rule: 'list', decode: decodeNameAddr },
  { name: 'SIP-ETag', rule: 'single', decode: decodeToken },
  { name: 'SIP-If-Match', rule: 'single', decode: decodeToken },
]

/** The entry with this id, 1 or more. */
export function headerDefinition(id: number): HeaderDefinition {
  return headerDefinitions[id - 1]!
}
