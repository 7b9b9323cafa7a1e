"""Who there is in the demo organization. Every name is invented."""

from dataclasses import dataclass
from typing import Final

from members.organizations import OrganizationKind
from members.people import Flowing, Post, Standing
from members.policy import RoleName

TIMEZONE: Final = "Asia/Shanghai"
ROOT: Final = "DEMO"
"""The code of the department; by it the demo organization is known again."""


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """An organization by its code, below the one with the code `parent`."""

    code: str
    parent: str | None
    kind: OrganizationKind
    name: str


ORGANIZATIONS: Final = (
    DemoOrganization(ROOT, None, OrganizationKind.DEPARTMENT, "青河区委组织部"),
    DemoOrganization("DEMO-LJ", ROOT, OrganizationKind.COMMITTEE, "临江镇党委"),
    DemoOrganization("DEMO-CX", ROOT, OrganizationKind.COMMITTEE, "城西街道党工委"),
    DemoOrganization("DEMO-LX", "DEMO-LJ", OrganizationKind.BRANCH, "柳溪村党支部"),
    DemoOrganization("DEMO-LX1", "DEMO-LX", OrganizationKind.GROUP, "柳溪村第一党小组"),
    DemoOrganization("DEMO-LX2", "DEMO-LX", OrganizationKind.GROUP, "柳溪村第二党小组"),
    DemoOrganization("DEMO-JG", "DEMO-LJ", OrganizationKind.BRANCH, "临江镇机关党支部"),
    DemoOrganization("DEMO-CY", "DEMO-CX", OrganizationKind.BRANCH, "翠园社区党支部"),
    DemoOrganization("DEMO-CY1", "DEMO-CY", OrganizationKind.GROUP, "翠园社区第一党小组"),
    DemoOrganization("DEMO-CY2", "DEMO-CY", OrganizationKind.GROUP, "翠园社区第二党小组"),
    DemoOrganization("DEMO-WJ", "DEMO-CX", OrganizationKind.BRANCH, "望江社区党支部"),
)


@dataclass(frozen=True, slots=True)
class DemoMember:
    """A member of the branch with the code `branch`."""

    name: str
    branch: str
    post: Post | None = None
    group: str | None = None
    standing: Standing = Standing.FULL
    flowing: Flowing | None = None


LONDON: Final = Flowing("英国伦敦", "Europe/London")
SHENZHEN: Final = Flowing("广东深圳", TIMEZONE)

MEMBERS: Final = (
    DemoMember("郑守田", "DEMO-LX", Post.SECRETARY, "DEMO-LX1"),
    DemoMember("何桂香", "DEMO-LX", Post.ORGANIZATION, "DEMO-LX2"),
    DemoMember("罗永福", "DEMO-LX", Post.PUBLICITY, "DEMO-LX1"),
    DemoMember("王秀兰", "DEMO-LX", group="DEMO-LX1"),
    DemoMember("赵德顺", "DEMO-LX", group="DEMO-LX1"),
    DemoMember("钱满仓", "DEMO-LX", group="DEMO-LX2"),
    DemoMember("唐小禾", "DEMO-LX", group="DEMO-LX2", standing=Standing.PROBATIONARY),
    DemoMember("陈雨桐", "DEMO-LX", group="DEMO-LX1", flowing=LONDON),
    DemoMember("冯春生", "DEMO-LX", group="DEMO-LX2"),
    DemoMember("沈国栋", "DEMO-JG", Post.SECRETARY),
    DemoMember("吕静怡", "DEMO-JG", Post.ORGANIZATION),
    DemoMember("韩志远", "DEMO-JG", Post.DISCIPLINE),
    DemoMember("曹文斌", "DEMO-JG"),
    DemoMember("丁晓岚", "DEMO-JG"),
    DemoMember("魏长青", "DEMO-JG"),
    DemoMember("许一诺", "DEMO-JG", standing=Standing.PROBATIONARY),
    DemoMember("彭立新", "DEMO-JG"),
    DemoMember("蒋云飞", "DEMO-JG"),
    DemoMember("周慧芝", "DEMO-CY", Post.SECRETARY, "DEMO-CY1"),
    DemoMember("严大川", "DEMO-CY", Post.DEPUTY_SECRETARY, "DEMO-CY2"),
    DemoMember("金玉珠", "DEMO-CY", Post.PUBLICITY, "DEMO-CY1"),
    DemoMember("李海波", "DEMO-CY", group="DEMO-CY1", flowing=SHENZHEN),
    DemoMember("陶阿婆", "DEMO-CY", group="DEMO-CY1"),
    DemoMember("姜福来", "DEMO-CY", group="DEMO-CY2"),
    DemoMember("范丽娟", "DEMO-CY", group="DEMO-CY2"),
    DemoMember("苗成林", "DEMO-CY", group="DEMO-CY1"),
    DemoMember("方知行", "DEMO-CY", group="DEMO-CY2", standing=Standing.PROBATIONARY),
    DemoMember("石建华", "DEMO-WJ", Post.SECRETARY),
    DemoMember("廖美凤", "DEMO-WJ", Post.ORGANIZATION),
    DemoMember("谭志强", "DEMO-WJ", Post.DISCIPLINE),
    DemoMember("邹桂英", "DEMO-WJ"),
    DemoMember("熊春梅", "DEMO-WJ"),
    DemoMember("任远航", "DEMO-WJ"),
    DemoMember("卢松年", "DEMO-WJ"),
    DemoMember("贾文静", "DEMO-WJ"),
    DemoMember("余晓光", "DEMO-WJ"),
)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A log-in; `name` is a member's where there is one. `roles` are beside that of a member at home."""

    username: str
    password: str
    name: str
    roles: tuple[tuple[RoleName, str], ...] = ()


ACCOUNTS: Final = (
    DemoAccount("zuzhibu", "qingshan-1101", "高明远", ((RoleName.DISTRICT_OFFICER, ROOT),)),
    DemoAccount("linjiang", "chunfeng-2101", "吕静怡", ((RoleName.COMMITTEE_OFFICER, "DEMO-LJ"),)),
    DemoAccount("chengxi", "chunfeng-2201", "宋佳宁", ((RoleName.COMMITTEE_OFFICER, "DEMO-CX"),)),
    DemoAccount("liuxi", "xiaoxi-3101", "郑守田", ((RoleName.SECRETARY, "DEMO-LX"),)),
    DemoAccount("guixiang", "xiaoxi-3102", "何桂香", ((RoleName.BRANCH_OFFICER, "DEMO-LX"),)),
    DemoAccount("jiguan", "dajiang-3201", "沈国栋", ((RoleName.SECRETARY, "DEMO-JG"),)),
    DemoAccount("cuiyuan", "huayuan-3301", "周慧芝", ((RoleName.SECRETARY, "DEMO-CY"),)),
    DemoAccount("wangjiang", "jiangcheng-3401", "石建华", ((RoleName.SECRETARY, "DEMO-WJ"),)),
    DemoAccount("xiulan", "taohua-4101", "王秀兰"),
    DemoAccount("deshun", "taohua-4102", "赵德顺"),
    DemoAccount("xiaohe", "taohua-4103", "唐小禾"),
    DemoAccount("yutong", "taishi-4104", "陈雨桐"),
    DemoAccount("haibo", "pengcheng-4301", "李海波"),
    DemoAccount("apo", "yinxing-4302", "陶阿婆"),
    DemoAccount("jumin", "qingfeng-5001", "孙大妈", ((RoleName.RESIDENT, ROOT),)),
    DemoAccount("yisheng", "mingyi-6001", "林仁心", ((RoleName.EXPERT, ROOT),)),
    DemoAccount("lvshi", "gongzheng-6002", "邵正言", ((RoleName.EXPERT, ROOT),)),
    DemoAccount("nongji", "fengshou-6003", "冯春生", ((RoleName.EXPERT, ROOT),)),
    DemoAccount("ganbu", "weimin-6004", "梁志诚", ((RoleName.EXPERT, ROOT),)),
)
"""Each level, then the experts: doctor, lawyer, agronomist (a member of 柳溪村), government officer."""
