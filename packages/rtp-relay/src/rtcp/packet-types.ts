/** Numbers of RTCP (RFC 3550 §12.1, §12.2; RFC 4585 §6.1 to §6.4, RFC 5104 §4.2, §4.3; RFC 3611 §4). */

/** Packet types. */
export const rtcpTypes = { SR: 200, RR: 201, SDES: 202, BYE: 203, APP: 204, RTPFB: 205, PSFB: 206, XR: 207 } as const

/** Items of a source description. */
export const sdesItems = { END: 0, CNAME: 1, NAME: 2, EMAIL: 3, PHONE: 4, LOC: 5, TOOL: 6, NOTE: 7, PRIV: 8 } as const

/** Formats of feedback for the transport (RTPFB). */
export const transportFormats = { NACK: 1, TMMBR: 3, TMMBN: 4 } as const

/** Formats of feedback for the payload (PSFB). */
export const payloadFormats = { PLI: 1, SLI: 2, RPSI: 3, FIR: 4, TSTR: 5, TSTN: 6, AFB: 15 } as const

/** Blocks of an extended report. */
export const reportBlockTypes = {
  LOSS_RLE: 1,
  DUPLICATE_RLE: 2,
  RECEIPT_TIMES: 3,
  REFERENCE_TIME: 4,
  DLRR: 5,
  STATISTICS: 6,
  VOIP_METRICS: 7,
} as const

/** The first packet type; from here on payload types of RTP are given up for RTCP (RFC 5761 §4). */
export const rtcpTypeMin = 192
/** The last packet type. */
export const rtcpTypeMax = 223
/** Bytes of the header that every packet begins with. */
export const rtcpHeaderBytes = 4
/** Bytes of a sender report before its report blocks, the header included. */
export const senderReportBytes = 28
/** Bytes of a receiver report before its report blocks, the header included. */
export const receiverReportBytes = 8
/** Bytes of one report block of a sender or receiver report. */
export const reportBlockBytes = 24
