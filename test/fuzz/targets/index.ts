/** The targets by name. */
import type { Target, TargetName } from '../engine/target.ts'
import { messageTarget } from './message.ts'
import { rtcpTarget } from './rtcp.ts'
import { rtpTarget } from './rtp.ts'
import { sdpTarget } from './sdp.ts'
import { sdpRewriteTarget } from './sdp-rewrite.ts'
import { srtpTarget } from './srtp.ts'
import { streamTarget } from './stream.ts'
import { uriTarget } from './uri.ts'

const makers: Readonly<Record<TargetName, () => Target>> = {
  message: messageTarget,
  uri: uriTarget,
  sdp: sdpTarget,
  'sdp-rewrite': sdpRewriteTarget,
  stream: streamTarget,
  rtp: rtpTarget,
  rtcp: rtcpTarget,
  srtp: srtpTarget,
}

/** Makes the target of this name, for the parser as it is. */
export function targetByName(name: TargetName): Target {
  return makers[name]()
}
