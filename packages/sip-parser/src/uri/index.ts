/** URIs: sip, sips, tel, and the rest as text. */
export { OpaqueUri } from './opaque-uri'
export { parseUri, type Uri } from './parse-uri'
export { SipUri, type SipUriInit } from './sip-uri'
export { TelUri } from './tel-uri'
