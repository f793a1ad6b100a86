/** Ids of the headers that code asks for by number: their places in the registry. 0 is every unknown header. */
/** Id of the Via header. */
export const VIA = 1
/** Id of the From header. */
export const FROM = 2
/** Id of the To header. */
export const TO = 3
/** Id of the Call-ID header. */
export const CALL_ID = 4
/** Id of the CSeq header. */
export const CSEQ = 5
/** Id of the Max-Forwards header. */
export const MAX_FORWARDS = 6
/** Id of the Contact header. */
export const CONTACT = 7
/** Id of the Route header. */
export const ROUTE = 8
/** Id of the Record-Route header. */
export const RECORD_ROUTE = 9
/** Id of the Content-Length header. */
export const CONTENT_LENGTH = 10
/** Id of the Content-Type header. */
export const CONTENT_TYPE = 11
/** Id of the Expires header. */
export const EXPIRES = 12
/** Id of the Min-Expires header. */
export const MIN_EXPIRES = 13
/** Id of the Authorization header. */
export const AUTHORIZATION = 14
/** Id of the Proxy-Authorization header. */
export const PROXY_AUTHORIZATION = 15
/** Id of the WWW-Authenticate header. */
export const WWW_AUTHENTICATE = 16
/** Id of the Proxy-Authenticate header. */
export const PROXY_AUTHENTICATE = 17
/** Id of the Authentication-Info header. */
export const AUTHENTICATION_INFO = 18
/** Id of the Allow header. */
export const ALLOW = 19
/** Id of the Supported header. */
export const SUPPORTED = 20
/** Id of the Require header. */
export const REQUIRE = 21
/** Id of the Proxy-Require header. */
export const PROXY_REQUIRE = 22
/** Id of the Unsupported header. */
export const UNSUPPORTED = 23
/** Id of the User-Agent header. */
export const USER_AGENT = 24
/** Id of the Server header. */
export const SERVER = 25
/** Id of the Retry-After header. */
export const RETRY_AFTER = 26
/** Id of the Reason header. */
export const REASON = 27
/** Id of the Subject header. */
export const SUBJECT = 28
/** Id of the Date header. */
export const DATE = 30
/** Id of the Timestamp header. */
export const TIMESTAMP = 31
