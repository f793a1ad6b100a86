/** Test helpers for users of the parser: ready messages and seeded generators. Nothing here is used by the parser. */
export { mixSeed, SeededGenerator } from './generator'
export { headerSamples } from './header-samples'
export {
  inviteBytes,
  type MessageFixture,
  optionsRequest,
  registerRequest,
  sampleInvite,
  sampleResponse,
  sampleSdp,
} from './messages'
export { mutateBytes } from './mutate'
export { mutateMessage } from './mutate-message'
export { mutateSdp } from './mutate-sdp'
export { mutateStream } from './mutate-stream'
export { mutateUri } from './mutate-uri'
