package lang

// The tables below are never changed. The dictionary's first reading is often a rare one or not that of names.

// usual corrects the reading of a character wherever it stands.
var usual = map[rune]string{
	'长': "chang2", '都': "du1", '曾': "zeng1", '翟': "zhai2", '卜': "bu3", '什': "shi2", '娜': "na4", '沈': "shen3",
	'葛': "ge3", '盖': "gai4", '覃': "qin2", '佴': "nai4", '莘': "shen1", '晟': "sheng4", '藏': "cang2", '柏': "bai3",
	'菲': "fei1", '薇': "wei1", '茜': "qian4", '婷': "ting2", '呢': "ne5", '吗': "ma5", '和': "he2", '弄': "nong4",
	'露': "lu4", '地': "di4", '得': "de2", '还': "hai2", '没': "mei2", '血': "xue4", '俞': "yu2", '奇': "qi2",
}

// surnames are the readings of characters that are read otherwise, or with another tone, at the head of a name.
var surnames = map[rune]string{
	'单': "shan4", '曾': "zeng1", '仇': "qiu2", '区': "ou1", '解': "xie4", '查': "zha1", '任': "ren2", '华': "hua4",
	'朴': "piao2", '盖': "ge3", '葛': "ge3", '燕': "yan1", '应': "ying1", '宁': "ning4", '缪': "miao4", '覃': "qin2",
	'冼': "xian3", '洗': "xian3", '尉': "wei4", '翟': "zhai2", '召': "shao4", '员': "yun4", '贠': "yun4", '秘': "bi4",
	'祭': "zhai4", '黑': "he4", '哈': "ha3", '那': "na1", '纪': "ji3", '乜': "nie4", '令': "ling2", '瞿': "qu2",
	'过': "guo1", '訾': "zi1", '於': "yu1", '相': "xiang4", '折': "she2", '种': "chong2", '逄': "pang2", '隗': "wei3",
	'盛': "sheng4", '卜': "bu3", '繁': "po2", '牟': "mu4", '郇': "xun2", '谌': "chen2", '晁': "chao2", '贲': "ben1",
	'眭': "sui1", '藏': "zang1", '撒': "sa3", '能': "nai4", '炅': "gui4", '仉': "zhang3", '句': "gou1", '少': "shao4",
	'乐': "yue4", '车': "che1", '石': "shi2", '曲': "qu1", '阚': "kan4", '阙': "que1", '洪': "hong2", '褚': "chu3",
	'万': "wan4", '长': "zhang3", '要': "yao1", '幺': "yao1", '亓': "qi2", '郗': "xi1", '逯': "lu4", '适': "kuo4",
}

// phrases are pairs whose reading differs from that of their characters: surnames of two characters, places, and
// everyday words that would otherwise be taken for a surname and a given name.
var phrases = map[[2]rune][2]string{
	{'尉', '迟'}: {"yu4", "chi2"}, {'万', '俟'}: {"mo4", "qi2"}, {'单', '于'}: {"chan2", "yu2"},
	{'澹', '台'}: {"tan2", "tai2"}, {'长', '孙'}: {"zhang3", "sun1"}, {'宁', '波'}: {"ning2", "bo1"},
	{'重', '庆'}: {"chong2", "qing4"}, {'厦', '门'}: {"xia4", "men2"}, {'蚌', '埠'}: {"beng4", "bu4"},
	{'六', '安'}: {"lu4", "an1"}, {'六', '合'}: {"lu4", "he2"}, {'台', '州'}: {"tai1", "zhou1"},
	{'乐', '清'}: {"yue4", "qing1"}, {'乐', '山'}: {"le4", "shan1"}, {'乐', '天'}: {"le4", "tian1"},
	{'番', '禺'}: {"pan1", "yu2"}, {'东', '莞'}: {"dong1", "guan3"}, {'闵', '行'}: {"min3", "hang2"},
	{'丽', '水'}: {"li2", "shui3"}, {'铅', '山'}: {"yan2", "shan1"}, {'什', '邡'}: {"shi2", "fang1"},
	{'长', '子'}: {"zhang3", "zi3"}, {'华', '为'}: {"hua2", "wei2"}, {'华', '东'}: {"hua2", "dong1"},
	{'华', '北'}: {"hua2", "bei3"}, {'华', '南'}: {"hua2", "nan2"}, {'华', '中'}: {"hua2", "zhong1"},
	{'西', '藏'}: {"xi1", "zang4"}, {'成', '都'}: {"cheng2", "du1"}, {'大', '厦'}: {"da4", "sha4"},
	{'银', '行'}: {"yin2", "hang2"}, {'行', '业'}: {"hang2", "ye4"}, {'音', '乐'}: {"yin1", "yue4"},
	{'重', '新'}: {"chong2", "xin1"}, {'重', '复'}: {"chong2", "fu4"}, {'会', '计'}: {"kuai4", "ji4"},
	{'曾', '经'}: {"ceng2", "jing1"}, {'什', '么'}: {"shen2", "me5"}, {'单', '鞋'}: {"dan1", "xie2"},
	{'单', '品'}: {"dan1", "pin3"}, {'单', '价'}: {"dan1", "jia4"}, {'单', '位'}: {"dan1", "wei4"},
	{'单', '次'}: {"dan1", "ci4"}, {'单', '人'}: {"dan1", "ren2"}, {'单', '件'}: {"dan1", "jian4"},
	{'单', '肩'}: {"dan1", "jian1"}, {'单', '色'}: {"dan1", "se4"}, {'单', '选'}: {"dan1", "xuan3"},
	{'查', '询'}: {"cha2", "xun2"}, {'查', '看'}: {"cha2", "kan4"}, {'查', '找'}: {"cha2", "zhao3"},
	{'解', '决'}: {"jie3", "jue2"}, {'解', '释'}: {"jie3", "shi4"}, {'解', '约'}: {"jie3", "yue1"},
	{'解', '放'}: {"jie3", "fang4"}, {'区', '域'}: {"qu1", "yu4"}, {'区', '别'}: {"qu1", "bie2"},
	{'任', '务'}: {"ren4", "wu4"}, {'任', '意'}: {"ren4", "yi4"}, {'任', '何'}: {"ren4", "he2"},
	{'应', '收'}: {"ying1", "shou1"}, {'应', '用'}: {"ying4", "yong4"}, {'盖', '章'}: {"gai4", "zhang1"},
	{'折', '扣'}: {"zhe2", "kou4"}, {'折', '叠'}: {"zhe2", "die2"}, {'种', '类'}: {"zhong3", "lei4"},
	{'员', '工'}: {"yuan2", "gong1"}, {'黑', '色'}: {"hei1", "se4"}, {'黑', '名'}: {"hei1", "ming2"},
	{'过', '期'}: {"guo4", "qi1"}, {'过', '滤'}: {"guo4", "lv4"}, {'相', '关'}: {"xiang1", "guan1"},
	{'相', '似'}: {"xiang1", "si4"}, {'能', '力'}: {"neng2", "li4"}, {'能', '源'}: {"neng2", "yuan2"},
	{'那', '么'}: {"na4", "me5"}, {'要', '求'}: {"yao1", "qiu2"}, {'要', '约'}: {"yao1", "yue1"},
	{'少', '女'}: {"shao4", "nv3"}, {'少', '年'}: {"shao4", "nian2"}, {'适', '用'}: {"shi4", "yong4"},
	{'适', '合'}: {"shi4", "he2"}, {'长', '度'}: {"chang2", "du4"}, {'长', '期'}: {"chang2", "qi1"},
	{'长', '裙'}: {"chang2", "qun2"}, {'长', '裤'}: {"chang2", "ku4"}, {'长', '袖'}: {"chang2", "xiu4"},
	{'长', '款'}: {"chang2", "kuan3"}, {'长', '沙'}: {"chang2", "sha1"}, {'长', '春'}: {"chang2", "chun1"},
	{'长', '安'}: {"chang2", "an1"}, {'长', '城'}: {"chang2", "cheng2"}, {'长', '江'}: {"chang2", "jiang1"},
	{'长', '治'}: {"chang2", "zhi4"}, {'店', '长'}: {"dian4", "zhang3"}, {'成', '长'}: {"cheng2", "zhang3"},
	{'经', '理'}: {"jing1", "li3"}, {'参', '与'}: {"can1", "yu4"}, {'调', '查'}: {"diao4", "cha2"},
	{'乐', '器'}: {"yue4", "qi4"}, {'乐', '园'}: {"le4", "yuan2"}, {'乐', '高'}: {"le4", "gao1"},
	{'纪', '念'}: {"ji4", "nian4"}, {'纪', '录'}: {"ji4", "lu4"}, {'燕', '窝'}: {"yan4", "wo1"},
	{'少', '量'}: {"shao3", "liang4"}, {'少', '数'}: {"shao3", "shu4"}, {'宁', '夏'}: {"ning2", "xia4"},
	{'朴', '素'}: {"pu3", "su4"}, {'洗', '衣'}: {"xi3", "yi1"}, {'洗', '护'}: {"xi3", "hu4"},
}

// doubleSurnames are the surnames of two characters in use: the given name begins after them.
var doubleSurnames = map[[2]rune]bool{
	{'欧', '阳'}: true, {'上', '官'}: true, {'司', '马'}: true, {'诸', '葛'}: true, {'皇', '甫'}: true, {'尉', '迟'}: true,
	{'公', '孙'}: true, {'令', '狐'}: true, {'慕', '容'}: true, {'司', '徒'}: true, {'夏', '侯'}: true, {'东', '方'}: true,
	{'端', '木'}: true, {'南', '宫'}: true, {'长', '孙'}: true, {'宇', '文'}: true, {'轩', '辕'}: true, {'澹', '台'}: true,
	{'独', '孤'}: true, {'万', '俟'}: true, {'单', '于'}: true, {'司', '空'}: true, {'闻', '人'}: true, {'呼', '延'}: true,
}
