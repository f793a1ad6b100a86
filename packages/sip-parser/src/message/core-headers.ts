/** Typed getters for the headers of RFC 3261 §20 that not every message is asked for. */
import type { ContentDisposition } from '../body/content-disposition'
import type { Params } from '../grammar/params'
import { type Challenge, type Credentials, decodeAuthParams, decodeChallenge, decodeCredentials } from '../headers/auth'
import { decodeContentId, decodeDisposition } from '../headers/bodies'
import * as id from '../headers/ids'
import { decodeCallIdElement, decodeTokenElement, decodeWarningElement, type Warning } from '../headers/lists'
import { decodeOneNameAddr, type NameAddr } from '../headers/name-addr'
import {
  decodeDate,
  decodeDeltaSeconds,
  decodeFreeText,
  decodeRetryAfter,
  decodeTimestamp,
  decodeToken,
  type RetryAfter,
} from '../headers/scalars'
import { decodePreference, decodeUriElement, type UriWithParams, type ValueWithParams } from '../headers/values'
import { CallHeaders } from './call-headers'

/** The headers of RFC 3261 but those in `message.ts`. It has no fields: what is decoded is kept by the message. */
export abstract class CoreHeaders extends CallHeaders {
  /** Seconds. */
  get expires(): number | undefined {
    return this.first(id.EXPIRES, decodeDeltaSeconds)
  }

  /** Seconds. */
  get minExpires(): number | undefined {
    return this.first(id.MIN_EXPIRES, decodeDeltaSeconds)
  }

  get allow(): readonly string[] {
    return this.list(id.ALLOW, decodeTokenElement)
  }

  get supported(): readonly string[] {
    return this.list(id.SUPPORTED, decodeTokenElement)
  }

  get require(): readonly string[] {
    return this.list(id.REQUIRE, decodeTokenElement)
  }

  get proxyRequire(): readonly string[] {
    return this.list(id.PROXY_REQUIRE, decodeTokenElement)
  }

  get unsupported(): readonly string[] {
    return this.list(id.UNSUPPORTED, decodeTokenElement)
  }

  get userAgent(): string | undefined {
    return this.first(id.USER_AGENT, decodeFreeText)
  }

  get server(): string | undefined {
    return this.first(id.SERVER, decodeFreeText)
  }

  get subject(): string | undefined {
    return this.first(id.SUBJECT, decodeFreeText)
  }

  get organization(): string | undefined {
    return this.first(id.ORGANIZATION, decodeFreeText)
  }

  /** Milliseconds since the Unix epoch. */
  get date(): number | undefined {
    return this.first(id.DATE, decodeDate)
  }

  /** As it came. */
  get timestamp(): string | undefined {
    return this.first(id.TIMESTAMP, decodeTimestamp)
  }

  get retryAfter(): RetryAfter | undefined {
    return this.first(id.RETRY_AFTER, decodeRetryAfter)
  }

  get warnings(): readonly Warning[] {
    return this.list(id.WARNING, decodeWarningElement)
  }

  /** Media ranges. Empty also for a header without a value, which accepts nothing; see `has`. */
  get accept(): readonly ValueWithParams[] {
    return this.list(id.ACCEPT, decodePreference)
  }

  get acceptEncoding(): readonly ValueWithParams[] {
    return this.list(id.ACCEPT_ENCODING, decodePreference)
  }

  get acceptLanguage(): readonly ValueWithParams[] {
    return this.list(id.ACCEPT_LANGUAGE, decodePreference)
  }

  get alertInfo(): readonly UriWithParams[] {
    return this.list(id.ALERT_INFO, decodeUriElement)
  }

  get callInfo(): readonly UriWithParams[] {
    return this.list(id.CALL_INFO, decodeUriElement)
  }

  get errorInfo(): readonly UriWithParams[] {
    return this.list(id.ERROR_INFO, decodeUriElement)
  }

  /** Undefined when absent: `ContentDisposition.defaultFor` says what holds then. */
  get contentDisposition(): ContentDisposition | undefined {
    return this.first(id.CONTENT_DISPOSITION, decodeDisposition)
  }

  get contentEncoding(): readonly string[] {
    return this.list(id.CONTENT_ENCODING, decodeTokenElement)
  }

  get contentLanguage(): readonly string[] {
    return this.list(id.CONTENT_LANGUAGE, decodeTokenElement)
  }

  /** Without angle brackets (RFC 8262). */
  get contentId(): string | undefined {
    return this.first(id.CONTENT_ID, decodeContentId)
  }

  /** Call-IDs. */
  get inReplyTo(): readonly string[] {
    return this.list(id.IN_REPLY_TO, decodeCallIdElement)
  }

  get mimeVersion(): string | undefined {
    return this.first(id.MIME_VERSION, decodeToken)
  }

  /** `emergency`, `urgent`, `normal`, `non-urgent`, or an extension. */
  get priority(): string | undefined {
    return this.first(id.PRIORITY, decodeToken)
  }

  get replyTo(): NameAddr | undefined {
    return this.first(id.REPLY_TO, decodeOneNameAddr)
  }

  get authorizations(): readonly Credentials[] {
    return this.list(id.AUTHORIZATION, decodeCredentials, true)
  }

  get proxyAuthorizations(): readonly Credentials[] {
    return this.list(id.PROXY_AUTHORIZATION, decodeCredentials, true)
  }

  get wwwAuthenticate(): readonly Challenge[] {
    return this.list(id.WWW_AUTHENTICATE, decodeChallenge, true)
  }

  get proxyAuthenticate(): readonly Challenge[] {
    return this.list(id.PROXY_AUTHENTICATE, decodeChallenge, true)
  }

  /** Parameters, unquoted (RFC 7615). Never log them. */
  get authenticationInfo(): Params | undefined {
    return this.first(id.AUTHENTICATION_INFO, decodeAuthParams)
  }

  /** How many branches a request may still fork into (RFC 5393 §5). */
  get maxBreadth(): number | undefined {
    return this.first(id.MAX_BREADTH, decodeDeltaSeconds)
  }
}
