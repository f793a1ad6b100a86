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
/** Id of the Organization header. */
export const ORGANIZATION = 29
/** Id of the Date header. */
export const DATE = 30
/** Id of the Timestamp header. */
export const TIMESTAMP = 31
/** Id of the Warning header. */
export const WARNING = 32
/** Id of the Accept header. */
export const ACCEPT = 33
/** Id of the Accept-Encoding header. */
export const ACCEPT_ENCODING = 34
/** Id of the Accept-Language header. */
export const ACCEPT_LANGUAGE = 35
/** Id of the Alert-Info header. */
export const ALERT_INFO = 36
/** Id of the Call-Info header. */
export const CALL_INFO = 37
/** Id of the Error-Info header. */
export const ERROR_INFO = 38
/** Id of the Content-Disposition header. */
export const CONTENT_DISPOSITION = 39
/** Id of the Content-Encoding header. */
export const CONTENT_ENCODING = 40
/** Id of the Content-Language header. */
export const CONTENT_LANGUAGE = 41
/** Id of the In-Reply-To header. */
export const IN_REPLY_TO = 42
/** Id of the MIME-Version header. */
export const MIME_VERSION = 43
/** Id of the Priority header. */
export const PRIORITY = 44
/** Id of the Reply-To header. */
export const REPLY_TO = 45
/** Id of the RSeq header. */
export const RSEQ = 46
/** Id of the RAck header. */
export const RACK = 47
/** Id of the Event header. */
export const EVENT = 48
/** Id of the Allow-Events header. */
export const ALLOW_EVENTS = 49
/** Id of the Subscription-State header. */
export const SUBSCRIPTION_STATE = 50
/** Id of the Refer-To header. */
export const REFER_TO = 51
/** Id of the Referred-By header. */
export const REFERRED_BY = 52
/** Id of the Replaces header. */
export const REPLACES = 53
/** Id of the Session-Expires header. */
export const SESSION_EXPIRES = 54
/** Id of the Min-SE header. */
export const MIN_SE = 55
/** Id of the Path header. */
export const PATH = 56
/** Id of the Service-Route header. */
export const SERVICE_ROUTE = 57
/** Id of the P-Asserted-Identity header. */
export const P_ASSERTED_IDENTITY = 58
/** Id of the P-Preferred-Identity header. */
export const P_PREFERRED_IDENTITY = 59
/** Id of the SIP-ETag header. */
export const SIP_ETAG = 60
/** Id of the SIP-If-Match header. */
export const SIP_IF_MATCH = 61
/** Id of the Privacy header. */
export const PRIVACY = 62
/** Id of the History-Info header. */
export const HISTORY_INFO = 63
/** Id of the Diversion header. */
export const DIVERSION = 64
/** Id of the Remote-Party-ID header. */
export const REMOTE_PARTY_ID = 65
/** Id of the Session-ID header. */
export const SESSION_ID = 66
/** Id of the User-to-User header. */
export const USER_TO_USER = 67
/** Id of the Identity header. */
export const IDENTITY = 68
/** Id of the Identity-Info header. */
export const IDENTITY_INFO = 69
/** Id of the Join header. */
export const JOIN = 70
/** Id of the Target-Dialog header. */
export const TARGET_DIALOG = 71
/** Id of the Refer-Sub header. */
export const REFER_SUB = 72
/** Id of the Refer-Events-At header. */
export const REFER_EVENTS_AT = 73
/** Id of the Suppress-If-Match header. */
export const SUPPRESS_IF_MATCH = 74
/** Id of the Info-Package header. */
export const INFO_PACKAGE = 75
/** Id of the Recv-Info header. */
export const RECV_INFO = 76
/** Id of the Accept-Contact header. */
export const ACCEPT_CONTACT = 77
/** Id of the Reject-Contact header. */
export const REJECT_CONTACT = 78
/** Id of the Request-Disposition header. */
export const REQUEST_DISPOSITION = 79
/** Id of the Feature-Caps header. */
export const FEATURE_CAPS = 80
/** Id of the Answer-Mode header. */
export const ANSWER_MODE = 81
/** Id of the Priv-Answer-Mode header. */
export const PRIV_ANSWER_MODE = 82
/** Id of the Resource-Priority header. */
export const RESOURCE_PRIORITY = 83
/** Id of the Accept-Resource-Priority header. */
export const ACCEPT_RESOURCE_PRIORITY = 84
/** Id of the Max-Breadth header. */
export const MAX_BREADTH = 85
/** Id of the Flow-Timer header. */
export const FLOW_TIMER = 86
/** Id of the Security-Client header. */
export const SECURITY_CLIENT = 87
/** Id of the Security-Server header. */
export const SECURITY_SERVER = 88
/** Id of the Security-Verify header. */
export const SECURITY_VERIFY = 89
/** Id of the Policy-Contact header. */
export const POLICY_CONTACT = 90
/** Id of the Policy-ID header. */
export const POLICY_ID = 91
/** Id of the Permission-Missing header. */
export const PERMISSION_MISSING = 92
/** Id of the Trigger-Consent header. */
export const TRIGGER_CONSENT = 93
/** Id of the Content-ID header. */
export const CONTENT_ID = 94
/** Id of the Geolocation header. */
export const GEOLOCATION = 95
/** Id of the Geolocation-Routing header. */
export const GEOLOCATION_ROUTING = 96
/** Id of the Geolocation-Error header. */
export const GEOLOCATION_ERROR = 97
/** Id of the P-Access-Network-Info header. */
export const P_ACCESS_NETWORK_INFO = 98
/** Id of the P-Answer-State header. */
export const P_ANSWER_STATE = 99
/** Id of the P-Asserted-Service header. */
export const P_ASSERTED_SERVICE = 100
/** Id of the P-Preferred-Service header. */
export const P_PREFERRED_SERVICE = 101
/** Id of the P-Associated-URI header. */
export const P_ASSOCIATED_URI = 102
/** Id of the P-Called-Party-ID header. */
export const P_CALLED_PARTY_ID = 103
/** Id of the P-Charging-Function-Addresses header. */
export const P_CHARGING_FUNCTION_ADDRESSES = 104
/** Id of the P-Charging-Vector header. */
export const P_CHARGING_VECTOR = 105
/** Id of the P-Early-Media header. */
export const P_EARLY_MEDIA = 106
/** Id of the P-Private-Network-Indication header. */
export const P_PRIVATE_NETWORK_INDICATION = 107
/** Id of the P-Served-User header. */
export const P_SERVED_USER = 108
/** Id of the P-User-Database header. */
export const P_USER_DATABASE = 109
/** Id of the P-Visited-Network-ID header. */
export const P_VISITED_NETWORK_ID = 110
