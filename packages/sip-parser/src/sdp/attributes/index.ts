/** Typed reading of SDP attributes, one file a family; what has no file here is reached by name. */
export * from './attribute'
export * from './direction'
export * from './rtcp'
export * from './rtpmap'
