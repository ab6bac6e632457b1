export { type Answer, answerOf, forgetAll, forgetSeen, keepAnswers, type Readable, readableRecords } from './answers';
export {
  arrived,
  discard,
  keepChange,
  keepFile,
  keepNew,
  loadWaiting,
  rewrite,
  sendAgain,
  sendWaiting,
  takeMine,
} from './outbox';
