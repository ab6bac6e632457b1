import { describe, expect, it } from 'vitest';
import { readQuickAdd } from './quick-add';

// A Sunday.
const TODAY = '2026-11-22';

describe('quick add', () => {
  it.each([
    ['给王小姐回电', '给王小姐回电', null, null, 'normal', 'none'],
    ['明天下午3点 给王小姐回电 !高', '给王小姐回电', '2026-11-23', '15:00', 'high', 'none'],
    ['后天 发报价', '发报价', '2026-11-24', null, 'normal', 'none'],
    ['周五 10:30 复盘', '复盘', '2026-11-27', '10:30', 'normal', 'none'],
    ['下周一 上午九点半 例会', '例会', '2026-11-23', '09:30', 'normal', 'none'],
    ['三天后提醒付款', '提醒付款', '2026-11-25', null, 'normal', 'none'],
    ['12月5日 生日祝福', '生日祝福', '2026-12-05', null, 'normal', 'none'],
    ['1月3号 盘点', '盘点', '2027-01-03', null, 'normal', 'none'],
    ['15号 交报表', '交报表', '2026-12-15', null, 'normal', 'none'],
    ['月底 结算！！！', '结算', '2026-11-30', null, 'urgent', 'none'],
    ['每天 9:00 看日报', '看日报', '2026-11-22', '09:00', 'normal', 'daily'],
    ['每周三 例会', '例会', '2026-11-25', null, 'normal', 'weekly'],
    ['每月 对账', '对账', '2026-11-22', null, 'normal', 'monthly'],
    ['今晚8点 直播', '直播', '2026-11-22', '20:00', 'normal', 'none'],
    ['2026-12-24 送礼物', '送礼物', '2026-12-24', null, 'normal', 'none'],
    ['Call Ms Wang tomorrow 3pm !high', 'Call Ms Wang', '2026-11-23', '15:00', 'high', 'none'],
    ['send quote on friday', 'send quote', '2026-11-27', null, 'normal', 'none'],
    ['review in 3 days', 'review', '2026-11-25', null, 'normal', 'none'],
    ['stand-up every weekday 9:15', 'stand-up', '2026-11-22', '09:15', 'normal', 'weekdays'],
    ['every monday report', 'report', '2026-11-23', null, 'normal', 'weekly'],
    ['call today at 12:30 pm', 'call', '2026-11-22', '12:30', 'normal', 'none'],
    ['order 12 shirts', 'order 12 shirts', null, null, 'normal', 'none'],
  ])('%s', (text, subject, day, clock, priority, repeat) => {
    expect(readQuickAdd(text, TODAY)).toEqual({ subject, day, clock, priority, repeat });
  });
});
