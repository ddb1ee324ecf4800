"""The wordings by which rules know decisions, steps, questions and answers: a table for English, one for Chinese.

Every expression begins at the beginning of a sentence, fillers taken away, unless it says otherwise, and none repeats
what is itself repeated: whatever somebody writes, each is read once. «NAME» stands for the people in the call.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Wording(NamedTuple):
    """The expressions of one language; ``what`` is the group with what is to be done or was decided."""

    filler: re.Pattern[str]
    small_talk: re.Pattern[str]
    question: re.Pattern[str]
    yes: re.Pattern[str]
    no: re.Pattern[str]
    unsure: re.Pattern[str]
    takes_it: re.Pattern[str]
    decision: tuple[re.Pattern[str], ...]
    undecided: re.Pattern[str]
    agreed_before: re.Pattern[str]
    proposal: tuple[re.Pattern[str], ...]
    open_point: re.Pattern[str]
    promise: tuple[re.Pattern[str], ...]
    request: tuple[re.Pattern[str], ...]
    duty: tuple[re.Pattern[str], ...]
    marked: re.Pattern[str]
    refusal: re.Pattern[str]
    assigned: tuple[str, ...]
    next_topic: re.Pattern[str]


def words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


ENGLISH = Wording(
    filler=words(
        r"^(?:ok(?:ay)?|so|well|yeah|yes|yep|sure|right|alright|all right|great|cool|and"
        r"|but|then|also|good|fine|perfect"
        r"|thanks|thank you|no problem|now|actually|anyway|h+m+|u+m+|u+h+|oh|ah|i think|i guess"
        r"|i mean|you know|of course"
        r"|sounds good|agreed|in that case|for me|from my side)(?:[,.!:; –-]+|$)"
    ),
    small_talk=words(
        r"^(?:hi|hello|hey|bye|goodbye|good (?:morning|afternoon|evening|night)|see you|talk (?:to you )?(?:soon"
        r"|later)"
        r"|(?:can|could|do) (?:you|everyone|everybody|anybody|anyone) (?:all )?(?:hear|see)"
        r"|how are you|how's it going"
        r"|how (?:do|did) you do|what's up|are you (?:there|still there|ready|all right|okay"
        r"|ok)|is (?:everybody|everyone) (?:here|there)"
        r"|you(?:'re| are) (?:muted|on mute|frozen)|nice to|ready\?|any(?:thing)? else|any questions"
        r"|(?:does )?(?:that|it) makes? sense"
        r"|right\?|really\?|what\?|sorry\?|pardon|(?:can|could) you (?:repeat|say (?:that"
        r"|it) again|speak up|hear|see|give me a (?:second|minute))"
        r"|(?:one|a|just a) (?:second|minute|moment))\b|^(?:right|really|what|sorry|ok|okay|no|yes|huh)\s*\?+$"
    ),
    question=words(
        r"\?\s*$|^(?:who|what|when|where|why|how|which|whose|do|does|did|is|are|was|were"
        r"|can|could|shall|should|will|would"
        r"|have|has) .+\?"
    ),
    yes=words(
        r"^(?:yes|yeah|yep|yup|sure|ok(?:ay)?|agreed?|i agree|we agree|sounds (?:good|great)"
        r"|fine|great|good idea|of course|will do"
        r"|absolutely|definitely|perfect|deal|done|no problem|works for me|that works|makes sense"
        r"|let's do (?:it|that)"
        r"|exactly|alright|all right|i'm in|go ahead|count me in|good|cool|right|me too|\+1)\b|^(?:\+1|👍|✅)"
    ),
    no=words(
        r"^(?:no|nope|not really|i can't|i cannot|i can not|sorry|i don't think|i'm afraid"
        r"|i won't|i'd rather not)\b"
    ),
    unsure=words(
        r"\b(?:not sure|don't know|do not know|no idea|let me (?:check|ask|find out|think)"
        r"|need to (?:check|ask|find out|think)"
        r"|have to (?:check|ask|find out)|to be (?:decided|defined|clarified)|tbd|tbc|good question"
        r"|we'll see|let's see"
        r"|depends|unclear|i wonder|hard to say|no answer yet|not yet (?:clear|decided))\b"
    ),
    takes_it=words(
        r"^(?:(?:i'll|i will|i can|let me|i could) (?:do|take|handle|own|look after|see to"
        r"|pick up|take care of) (?:it|that|this|care of (?:it|that|this))"
        r"|(?:it's|that's|this is|leave (?:it|that) (?:to|with)) (?:mine|me|on me)|i'll pick (?:it"
        r"|that|this) up|i'm on it|on it|mine)\b"
    ),
    decision=(
        words(
            r"^(?:the )?(?:decision|decided|conclusion|agreed|agreement|resolution)(?: is| was)?"
            r"\s*[:\-–]\s*(?:that )?(?P<what>.+)"
        ),
        words(
            r"^(?:we|everybody|everyone|the team)(?:'ve| have)? (?:all )?(?:now )?(?:decided"
            r"|agreed|settled|concluded)(?: (?:to|that|on|for))+ (?P<what>.+)"
        ),
        words(r"^it(?:'s| is) (?:decided|settled|agreed)(?: that| to)?[:,]? (?P<what>.+)"),
        words(
            r"^(?:let's|let us|we(?:'ll| will| are going to|'re going to| shall)?) (?P<what>(?:go"
            r"|stick|start) (?:ahead )?with .+)"
        ),
        words(
            r"^we(?:'ll| will|'re going to| are going to| shall) (?P<what>(?!see\b|find out|talk"
            r"|have to|need to|be right).+)"
        ),
        words(r"^(?P<what>we (?:won't|will not|are not going to|aren't going to|'re not going to) .+)"),
    ),
    undecided=words(
        r"\b(?:haven't|have not|hasn't|not|never|can't|cannot|to be|before we|until we|if we"
        r"|once we|should we|who|yet to)(?: yet)? (?:be )?(?:decided?|agreed?|settled?)\b"
    ),
    agreed_before=words(
        r"^(?:agreed|decided|settled|deal|it's (?:decided|settled|a deal)|(?:ok(?:ay)?,? )?let's do (?:it"
        r"|that)|that's (?:decided|settled|agreed|the plan)|we (?:agree|have a plan))\s*[.!]*$"
    ),
    proposal=(
        words(
            r"^(?:let's|let us|shall we|should we|why don't we|how about we|what if we|can we|could we) (?P<what>.+)"
        ),
        words(r"^(?:how about|what about) (?P<what>.+)"),
        words(r"^(?:i|i'd|i would) (?:suggest|propose|recommend|say)(?: that)? (?:we )?(?P<what>.+)"),
        words(r"^(?:maybe |perhaps )?we (?:could|should|can) (?P<what>.+)"),
        words(r"^my (?:proposal|suggestion)(?: is|:) (?:that )?(?:we |to )?(?P<what>.+)"),
    ),
    open_point=words(
        r"^(?:open (?:question|point|issue)|still open|question|to clarify|to be clarified)\s*[:\-–]\s*(?P<what>.+)"
        r"|^(?P<whole>(?:we|i) (?:still )?(?:don't|do not) (?:yet )?know .+|we (?:still )?(?:need"
        r"|have) to (?:find out|clarify|decide|figure out|agree) .+"
        r"|(?:it's|it is|that's|that is) (?:still )?(?:open|unclear|not clear|undecided|to be decided)\b.*"
        r"|.+ is (?:still )?(?:an open question|unclear|undecided|to be decided))"
    ),
    promise=(
        words(
            r"^i(?:'ll| will|'m going to| am going to| shall| promise to| plan to|'ll try to"
            r"|'ll go and) (?P<what>(?!be (?:right )?back|see\b|say\b|think\b|mute\b|just (?:mute"
            r"|share)|share my screen|let you (?:go|know if)|be there|have to\b|never\b|not\b"
            r"|leave (?:now|the call)|drop\b|go now|talk to you).+)"
        ),
        words(
            r"^(?:i can|i could|let me|i have to|i need to|i must|i should) (?P<what>(?:send"
            r"|write|prepare|draft|review|update|fix|set up|schedule|organi[sz]e|book|contact"
            r"|ask|call|e-?mail|test|check|create|make|share the|finish|deploy|look into|research"
            r"|compare|document|translate|order|pay|follow up|talk to|take|find)\b.+)"
        ),
    ),
    request=(
        words(
            r"^(?:please,? )?(?:can|could|would|will) (?P<whom>you)(?: all)?,? (?:please |maybe "
            r"|perhaps |kindly )?(?P<what>.+)"
        ),
        words(r"^(?:please|kindly),? (?P<what>.+)"),
        words(
            r"^(?P<whom>you)(?:'ll| will| should| need to| have to| must) (?:please )?(?P<what>(?!see\b"
            r"|be (?:fine|ok)|like\b|love\b|notice\b|know\b|find that).+)"
        ),
    ),
    duty=(
        words(
            r"^(?:we|someone|somebody|one of us|everyone|everybody|all of us) (?:still )?(?:need"
            r"|needs|have|has|ought) to (?P<what>.+)"
        ),
        words(
            r"^(?:we|someone|somebody|one of us|everyone|everybody|all of us) (?:still )?(?:must|should) (?P<what>.+)"
        ),
        words(r"^(?:it|what) (?:still )?(?:needs to be|remains to be|has to be) (?P<what>.+)"),
    ),
    marked=words(
        r"^(?:to-?\s?do|action(?: item)?|next step|task)s?\s*(?:for (?P<for>[^:]{1,60}))?[:\-–]\s*(?P<what>.+)"
    ),
    refusal=words(r"^(?:won't|will not|can't|cannot|not|never|have|be able|been)\b"),
    assigned=(
        r"^@?NAME(?:,| -)?\s*(?:'ll| will| shall| is going to| should| needs? to| has to"
        r"| have to| must| is to| to| agreed to| promised to| offered to| takes care of| is responsible for"
        r"| owns| takes over| takes) (?P<what>.+)",
        r"^@?NAME,? (?:please,? )?(?:can|could|would|will) you (?:please |maybe )?(?P<what>.+)",
        r"^@?NAME,? please,? (?P<what>.+)",
        r"^(?:please,? )?(?:can|could|would|will) NAME (?:please )?(?P<what>.+)",
        r"^@?NAME\s*[:：]\s*(?P<what>.+)",
        r"^@NAME (?P<what>.+)",
        r"^(?:let|have) NAME (?P<what>.+)",
    ),
    next_topic=words(
        r"^(?:(?:the )?next (?:topic|item|point|thing)(?: on the (?:agenda|list))?(?: is"
        r"|:| -|,)?|let's (?:move on to|talk about|continue with|turn to|go on to)|moving on to"
        r"|(?:agenda|topic)(?: item)?(?: \d+)?\s*:)\s*(?P<what>[^.?!]{0,80})"
    ),
)

HAN_WHEN = (
    r"(?:今天|明天|后天|大后天|今晚|明早|明晚|(?:下下|下|本|这)?个?(?:周|星期|礼拜)(?:[一二三四五六日天末])?"
    r"|月底|年底|\d{1,2}月\d{1,2}[日号]|\d{1,2}[日号])(?:上午|中午|下午|晚上|早上)?(?:之前"
    r"|以前|前|内)?"
)
HAN_DO = (
    r"(?:把|发|写|做|给|提交|完成|更新|准备|联系|整理|安排|检查|修|改|测|上线|部署|确认"
    r"|跟进|回复|预订|预定|订|买|约|通知|找|问|设计|翻译|调研|对接|出|看一下|负责|汇总"
    r"|收集|起草|审|打电话|开)"
)

CHINESE = Wording(
    filler=words(
        r"^(?:好的|好啊|好|嗯+|那么|那|然后|所以|对了|对|是的|行|OK|ok|没问题|另外|还有|其实"
        r"|这样|不过|但是|而且|首先|最后|同意|可以|谢谢|呃|啊|哦)(?:[，,、。！!\s]+|$)"
    ),
    small_talk=words(
        r"^(?:你好|大家好|您好|早上好|晚上好|下午好|再见|拜拜|喂|在吗|听得?到吗|听得?见吗"
        r"|(?:你|你们|大家)?能(?:不能)?(?:听|看)(?:得)?(?:到|见)|最近怎么样|还好吗|你静音了"
        r"|稍等|等一下|还有(?:别的|其他)?(?:问题|事)吗|明白(?:了)?吗|对吗|是吗|真的吗|什么[？?]"
        r"|好吗[？?]?$|可以吗[？?]?$|可以开始了吗|都到了吗|人到齐了吗)"
    ),
    question=words(
        r"[？?]\s*$|(?:吗|呢|么)[。！!]?\s*$|(?:谁来|谁负责|是不是|要不要|能不能|可不可以"
        r"|有没有|怎么办|为什么|什么时候)[^。]*$"
    ),
    yes=words(
        r"^(?:好(?![像几多久奇])|行(?![程动业])|可以(?!吗)|没问题|同意|赞成|嗯|对(?![了于方吗不])"
        r"|是的|就这么|收到|没意见|当然|必须的|成(?![本功为])|OK|ok|\+1|👍|✅|我也|支持|明白)"
    ),
    no=words(r"^(?:不行|不同意|不可以|不(?![过知清确太])|没时间|抱歉|恐怕|没空|来不及|做不了)"),
    unsure=words(
        r"不知道|不清楚|不确定|不太确定|没想好|待定|再说|再看|再想|看情况|得问|要问|问一下"
        r"|我问问|确认一下|查一下|说不好|不好说|还没定|没定"
    ),
    takes_it=words(
        r"^(?:这个)?(?:我来.{0,2}|我去.{1,2}|我负责|交给我|我可以(?:来|做)?|我做|包在我身上|算我的)(?:[吧。！!，,]|$)"
    ),
    decision=(
        words(r"^(?:决定|结论|决议|共识|最终决定)(?:是)?\s*[:：]\s*(?P<what>.+)"),
        words(
            r"^(?:我们|大家|团队)?(?:已经|刚才|最后|最终|一致|都)?(?:决定|商定|敲定|说定|定下来"
            r"|一致同意|都同意|拍板)(?:了|好)?(?:[，,:：])?(?P<what>(?!了?[吧吗呢。！]?$).+)"
        ),
        words(
            r"^(?:那)?(?:我们)?就(?P<what>(?:用|选|按|采用|改成|改为|定在|放在|改到|推迟|定为|先做|先上|走)[^？?]+)$"
        ),
        words(r"^(?:我们)?(?:最终|最后)?(?P<what>(?:采用|选用|改用|选择)[^？?]+)$"),
        words(r"^(?:我们)(?:会|将)(?P<what>(?!再|看)[^？?]+)$"),
        words(r"^(?P<what>(?:我们)?(?:这次|先|暂时|就)?不(?:做|用|搞|上|要|考虑)[^？?]*了[。！!]?)$"),
        words(r"^(?P<what>.{2,80}?)(?:就)?(?:这么|这样)?(?:定了|说定了|敲定了)[。！!]?$"),
    ),
    undecided=words(
        r"(?:还没|没有|没|未|不能|待|先不|尚未|怎么|谁来|是否|要不要|如何)(?:有)?(?:最终)?(?:决定"
        r"|定|敲定|确定|同意)|决定不了|定不下来|决定(?:吧|吗|呢)?[？?]"
    ),
    agreed_before=words(
        r"^(?:那)?(?:我们)?(?:就这么|就这样|就按这个|那就这样|就|这事)?(?:定|说定|办|做|敲定"
        r"|决定)(?:了|吧|下来)?[。！!]*$|^就这么(?:定|办|做)|^成交|^一言为定"
    ),
    proposal=(
        words(r"^(?:我)?(?:建议|提议)(?:[，,:：])?(?P<what>.+)"),
        words(r"^(?:要不|要不然|不如|要么)(?:[，,])?(?:我们)?(?P<what>.+)"),
        words(
            r"^(?:我们|咱们)(?P<what>(?!要|得|需要|必须|应该|会).+?)(?:吧|怎么样|好不好|行不行"
            r"|如何|可以吗|好吗|行吗)[。！!？?]*$"
        ),
        words(r"^(?:要不要|是不是|我们要不要)(?P<what>.+?)[？?]?$"),
        words(r"^(?P<what>.{3,120}?)(?:怎么样|[，,](?:好不好|行不行|可以吗|好吗|行吗))[？?]*$"),
    ),
    open_point=words(
        r"^(?:未决问题|遗留问题|待确认|待定|待讨论|开放问题|问题)\s*[:：]\s*(?P<what>.+)"
        r"|^(?P<whole>.*(?:还没(?:有)?(?:定|确定|决定|想好|结论)|尚未确定|还不确定|还不清楚"
        r"|还不知道|有待确认|需要再讨论|要再讨论|还要(?:再)?讨论|还得(?:再)?讨论).*)"
    ),
    promise=(
        words(
            rf"^我(?P<what>(?:{HAN_WHEN})?(?:再)?(?:会|来|去|负责|可以|要|得|需要|准备|打算|争取"
            rf"|尽量|今天就|马上|先|就)(?!了|的[。！!]?$|说|走|觉得|想|吧|一下吧|看看吧|挂|静音"
            rf"|在)(?:在)?(?:{HAN_WHEN})?.{{2,}})"
        ),
        words(rf"^我(?P<what>{HAN_WHEN}.{{0,12}}?{HAN_DO}.+)"),
        words(rf"^我(?P<what>(?:把|给|跟|和|帮)[^？?]{{1,40}}{HAN_DO}?.+)"),
        words(rf"^(?P<what>{HAN_WHEN})我(?P<more>(?:会|来|去|负责|要|得|把|给|跟)?.{{0,8}}?{HAN_DO}.+)"),
    ),
    request=(
        words(rf"^(?P<whom>你|您)(?P<what>{HAN_WHEN}.{{0,6}}?{HAN_DO}.+)"),
        words(r"^(?:请|麻烦)(?P<whom>你|您)?(?P<what>.{2,})"),
        words(
            rf"^(?P<whom>你|您)(?P<what>(?:{HAN_WHEN})?(?:来|去|负责|能不能|能否|能(?=.*吗)|可不可以"
            rf"|可以|要|得|需要|帮忙|帮我|帮|记得|尽快|把|先)(?!好|是|说|看着|觉得).{{2,}})"
        ),
        words(rf"^(?:能不能|能否|可不可以|可以)(?:请|麻烦)?(?P<whom>你|您)?(?P<what>.{{0,20}}?{HAN_DO}.+)"),
    ),
    duty=(
        words(r"^(?:我们|咱们|大家|有人)(?:还)?(?:是)?(?:要|得|需要|必须|应该)(?:有人)?(?P<what>(?!不).{2,})"),
        words(r"^(?:还)?(?:需要|必须|得)(?:有人|找人)?(?P<what>.{2,})"),
    ),
    marked=words(r"^(?:待办事项|待办|行动项|下一步|任务|TODO)(?:（(?P<for>[^）]{1,20})）)?\s*[:：\-–]\s*(?P<what>.+)"),
    refusal=words(r"^(?:不|没|没有|已经|刚)"),
    assigned=(
        rf"^@?(?:请|麻烦|让|由|叫)?\s?NAME\s?[，,]?\s?(?:你|您)?(?P<what>(?:{HAN_WHEN})?\s?(?:会"
        rf"|将|来|去|负责|要|得|需要|应该|能不能|能否|能(?=.*吗)|可不可以|可以|帮忙|帮我|帮"
        rf"|把|在|尽快|记得|{HAN_DO}).+)",
        r"^(?:请|麻烦|让|叫)\s?NAME\s?(?P<what>.{2,})",
        r"^@?NAME\s*[:：]\s*(?P<what>.+)",
        r"^@NAME\s?(?P<what>.+)",
        rf"^(?P<before>{HAN_WHEN})[，,]?(?:请|由|让)?NAME(?P<what>.{{0,8}}?{HAN_DO}.+)",
        r"^(?P<what>.{2,60})(?:由|交给|归)NAME(?:来)?(?:负责|做|处理|跟进|完成)?[。！!吧]*$",
    ),
    next_topic=words(
        r"^(?:下一个(?:议题|话题|问题|事情|事)|接下来(?:我们)?(?:说|讨论|看|聊)(?:一下)?"
        r"|下面(?:我们)?(?:说|讨论|看|聊)(?:一下)?|议题(?:[一二三四五\d])?)(?:是)?\s*[:：，,]?(?P<what>[^。？！]{0,40})"
    ),
)
