/** Test helpers for users of the parser: ready messages and seeded generators. Nothing here is used by the parser. */
export { SeededGenerator } from './generator'
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
