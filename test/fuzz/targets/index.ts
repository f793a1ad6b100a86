/** The targets by name. */
import type { Target, TargetName } from '../engine/target.ts'
import { messageTarget } from './message.ts'
import { sdpTarget } from './sdp.ts'
import { sdpRewriteTarget } from './sdp-rewrite.ts'
import { streamTarget } from './stream.ts'
import { uriTarget } from './uri.ts'

const makers: Readonly<Record<TargetName, () => Target>> = {
  message: messageTarget,
  uri: uriTarget,
  sdp: sdpTarget,
  'sdp-rewrite': sdpRewriteTarget,
  stream: streamTarget,
}

/** Makes the target of this name, for the parser as it is. */
export function targetByName(name: TargetName): Target {
  return makers[name]()
}
