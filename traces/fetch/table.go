package fetch

// Where files lie. What is there can't change: a commit is named where there is one, and every
// file has its hash.
const (
	alibaba       = "https://raw.githubusercontent.com/alibaba/clusterdata/7a6c496e4f4b6ce6150be8f881cb051bf2abff42/"
	githubPages   = "https://github.com/"
	googleStorage = "https://storage.googleapis.com/"
	huawei        = "https://raw.githubusercontent.com/huaweicloud/trace_generation_rnn/fa856db037539396ae5dbc71f5a255f74c888443/resources/"
	github        = "https://raw.githubusercontent.com/"
)

// Datasets are the public traces that are known.
var Datasets = []Dataset{
	{
		Name: "alibaba-openb-gpu-v2023", What: "Alibaba, GPU cluster with shared GPUs, 149 days: nodes and pods",
		Licence: "Apache-2.0", Cite: "Weng et al., USENIX ATC 2023",
		Format: "openb",
		Files: []File{
			{"openb_node_list_all_node.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_node_list_all_node.csv", "5a85c2af79c66a1efff8bbcbda430400aae56d8431370d738480967e1a9c6b15", 52287},
			{"openb_node_list_gpu_node.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_node_list_gpu_node.csv", "2beca64b4d3dfa342036a34b56a495c6cef9225db836c81f541282cb1df320b5", 42353},
			{"openb_pod_list_cpu0.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu0.csv", "1bc3fd9ee5c1468ccd018f624d9222746e08d59f963f66b925804734271c0eaa", 499765},
			{"openb_pod_list_cpu037.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu037.csv", "8ed554026d041b15ff21ddc104d9a21dbd9a93c496262fa23ef7b5be27e220dc", 518687},
			{"openb_pod_list_cpu050.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu050.csv", "747f43247bffc2b0bb081d7f61f0705ca8d390dafc0b647e642c92f3baf3ba1e", 525811},
			{"openb_pod_list_cpu072.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu072.csv", "f8a2b031461b54d7b9f06d55473c2371eb3357b78a255c646bdca5e0833a8a2f", 537576},
			{"openb_pod_list_cpu100.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu100.csv", "bec1c33fbdde61fd463877534ec79b393aec73e1cbb22d55fab9f166ac480982", 554709},
			{"openb_pod_list_cpu200.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu200.csv", "b7e9d8a1a601da84d6e0b4110b19ef5001be5e4796d33e7b82f166ba95161f87", 622703},
			{"openb_pod_list_cpu235.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu235.csv", "87bebd4d012faa8305ce1fd82737f51cf03361aac28b75d42e34aa656d7f4ee0", 651171},
			{"openb_pod_list_cpu250.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu250.csv", "134c21ff96d57533df8a37b67632972884fec9396e77cd0898ddc370cc8e607d", 663708},
			{"openb_pod_list_cpu300.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_cpu300.csv", "76528825f40ee662cb098b3b6e683c1efd9f87a0c8af7e628df1f32c639636d1", 710698},
			{"openb_pod_list_default.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_default.csv", "1ee7ed79c27a3b0861cda8ddba86a004c6aba904caafa329a76ae93ca63834a8", 575468},
			{"openb_pod_list_gpushare100.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpushare100.csv", "12dbc07d6a49bf8641e2275a2ff5bf7be74b5df7d148d531e135b140b95f9a3d", 561220},
			{"openb_pod_list_gpushare20.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpushare20.csv", "9be2d0efb52e242c32e23dd184cc5fcc1983478c6c9c02cbb6b4b62925c0ffcd", 574603},
			{"openb_pod_list_gpushare40.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpushare40.csv", "d83ce79a4eb6987524bedbb0c65e41aed3a36bf6c1b78b86234c3687a07e1d40", 572662},
			{"openb_pod_list_gpushare60.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpushare60.csv", "d31809628128a1f24491086eda4af3e23882b9213d3ef57a56ee2d1af69492fe", 566361},
			{"openb_pod_list_gpushare80.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpushare80.csv", "88b6649369ced40d0fde287d2498ea61ff4b05fccba8bdc95daf6042f2f8431e", 563740},
			{"openb_pod_list_gpuspec05.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpuspec05.csv", "8f1c0ef7e4e511e982bd2818898ba22ee6d273bf5fce124b7ace285b5928cf4e", 577176},
			{"openb_pod_list_gpuspec10.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpuspec10.csv", "2dc7e4cb9480484f08539720b433a9ec9ab5d76b396f3f7557c53a2ff78a7611", 579461},
			{"openb_pod_list_gpuspec20.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpuspec20.csv", "6b9b89ab8913c1c074e994e98f548cf1a872fc5f76f2442ca8cd514a478b00a9", 582612},
			{"openb_pod_list_gpuspec25.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpuspec25.csv", "9d030679a2ccd7e27a7ec9ff15baff34480d22a0012515691fc187e3f35ee68c", 584915},
			{"openb_pod_list_gpuspec33.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_gpuspec33.csv", "eca4f746db1e5b25864ad021b55ece3943e101a3ebd4574d09dcb95c46117652", 587467},
			{"openb_pod_list_multigpu20.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_multigpu20.csv", "d9ec6f6c74fb980cc0b81239470c6353fceea077ea9abd610003b604c7cc2b01", 271530},
			{"openb_pod_list_multigpu30.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_multigpu30.csv", "a5e479c6444b1d83eef848159cf00c3cfa13441b2d1e2c113c391b91f1cc5b11", 277920},
			{"openb_pod_list_multigpu40.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_multigpu40.csv", "32c9e8731ca07ef96108aa65f2a289bb9aacb47f642ed9e3789f99b242df60eb", 286202},
			{"openb_pod_list_multigpu50.csv", alibaba + "cluster-trace-gpu-v2023/csv/openb_pod_list_multigpu50.csv", "206f2f5959db30ecb7c44e7f13197c8ec50b7a35558ad3777cc3662ef0fe5373", 297219},
		},
	},
	{
		Name: "philly-2017", What: "Microsoft Philly, jobs on GPUs, 109 days",
		Licence: "CC-BY-4.0", Cite: "Jeon et al., USENIX ATC 2019",
		Format: "philly",
		ByHand: "the original, with attempts and machines: github.com/msr-fiddle/philly-traces",
		Files: []File{
			{"philly.csv", githubPages + "gudiandian/ElasticFlow/raw/b3f5ea4c/pollux/pollux_simulator/traces/philly.csv", "ebffb3dd1589bdf4e7bcd74496201c5ded1d557d498ee14f560463f37ec353da", 3444496},
		},
	},
	{
		Name: "google-2011-v2", What: "Google, a Borg cell, 29 days: machine events, and the first 93 minutes of task events",
		Licence: "CC-BY-4.0", Cite: "Reiss, Wilkes, Hellerstein, 2011",
		Format: "google2011",
		ByHand: "all other parts: github.com/google/cluster-data",
		Files: []File{
			{"machine_events/part-00000-of-00001.csv.gz", googleStorage + "clusterdata-2011-2/machine_events/part-00000-of-00001.csv.gz", "fc44b8d2b33a96a261382488789855be7a0ce338888c99930ff45cb592249664", 347211},
			{"task_events/part-00000-of-00500.csv.gz", googleStorage + "clusterdata-2011-2/task_events/part-00000-of-00500.csv.gz", "eae977d521bc6ed5d8deef56f1e06009d41844d4eb9a7e308e610d68e1b10f18", 4139742},
		},
	},
	{
		Name: "azure-vm-v1-arrivals", What: "Azure, arrivals of virtual machines, 30 days",
		Licence: "CC-BY-4.0", Cite: "Cortez et al., SOSP 2017; Bergsma et al., SOSP 2021",
		Format: "azure",
		Files: []File{
			{"v1.dev.c2100000.txt", huawei + "traces/v1.dev.c2100000.txt", "46521121c2917b14800abd090354b41045ff5f5d88f8b144456af6e098196b32", 979525},
			{"v1.dev.txt", huawei + "traces/v1.dev.txt", "78a3e6c258553b458bd8e55d867ef5fa1a2b82cdd5c4c4b1f777210669835af6", 632536},
			{"v1.test.c2591400.txt", huawei + "traces/v1.test.c2591400.txt", "0f277857eb4240e9137429fd0bec9ed5355061d157492cb8061fb3e189ead963", 1570350},
			{"v1.test.txt", huawei + "traces/v1.test.txt", "2f0fcc2d12b76c54e58d222caa90547dd76033f3a97b032694e403ee81d4f815", 999548},
			{"v1.train.txt", huawei + "traces/v1.train.txt", "9c2f66e4d003f7a60db7c6ca63f4af8ef553922339a10cda848498d92f0e8d64", 3079978},
			{"batch_size_map.txt", huawei + "maps/batch_size_map.txt", "cadfbeb07dbad921ebf7b12e42b5840ca51d5012917b3e18fe2f4109f869e753", 422},
			{"flav_map.txt", huawei + "maps/flav_map.txt", "2b7ae5498471022e4bb0d62b148cbde01d5704a5fef482096ad780e17cbb0902", 115},
			{"v1.interval_map.txt", huawei + "maps/v1.interval_map.txt", "404436c751ac5a345092b8b5c9cb91ca99ae013c675fd932cfb7fc633eb9579d", 59653},
		},
	},
	{
		Name: "alibaba-2018", What: "Alibaba, machines and a sample of batch tasks, 8 days",
		Licence: "for research and study (alibaba/clusterdata)", Cite: "github.com/alibaba/clusterdata",
		ByHand: "all of it: github.com/alibaba/clusterdata, after a survey",
		Files: []File{
			{"machine_meta.csv", github + "gohsyi/cluster_optimization/d147f574ff6e93341e59a2ec657aae08b182eb7c/data/machine_meta.csv", "3ccd30a264d32ccc4f2a58dfc23a9055db8992a40dac63d80f49f0a41daaf31d", 552566},
			{"batch_task_slice.csv", github + "abhinav269747/Capstone-cloud/ab1ab34bc0e702d7560c18dd9dd840a55eba7d52/batch_task.csv", "4dfb151ae480d28353a158e7f28261fd5fb4ba155414d81bb17cf9fb8802496a", 639542},
		},
	},
	{
		Name: "alibaba-2017", What: "Alibaba, events of 1,313 machines, 24 hours",
		Licence: "for research and study (alibaba/clusterdata)", Cite: "github.com/alibaba/clusterdata",
		ByHand: "batch tasks and all else: github.com/alibaba/clusterdata, after a survey",
		Files: []File{
			{"server_event.csv", github + "Prasanna2002/Alibaba_trace/1b1d720cdddfc8571bd76c321a0f31af8815255a/server_event.csv", "336f7255add3ae3c08bf5163b15319f542365a3c7814ed3f712699560933968b", 47615},
		},
	},
	{
		Name: "alibaba-gpu-v2025-dlrm", What: "Alibaba, services for recommendation on separate CPU and GPU nodes",
		Licence: "for research and study (alibaba/clusterdata)", Cite: "USENIX NSDI 2025",
		Files: []File{
			{"disaggregated_DLRM_trace.csv", alibaba + "cluster-trace-gpu-v2025/disaggregated_DLRM_trace.csv", "fb17bc4b3f412d5280f70f04a1bdf2adfc4429d1e61237a5b106e86206414295", 2118900},
		},
	},
	{
		Name: "alibaba-spot-gpu-v2026", What: "Alibaba, nodes of a cluster with spot GPUs",
		Licence: "for research and study (alibaba/clusterdata)", Cite: "github.com/alibaba/clusterdata",
		ByHand: "jobs: github.com/alibaba/clusterdata",
		Files: []File{
			{"node_info_df.csv", alibaba + "cluster-trace-v2026-spot-gpu/node_info_df.csv", "1aba161961a5a4a1a61aa581383c5e5abe3400b59f8597ba8c4eef7597bc9d18", 78330},
		},
	},
	{
		Name: "alibaba-genai-v2026", What: "Alibaba, what pods that serve models use, a day",
		Licence: "for research and study (alibaba/clusterdata)", Cite: "github.com/alibaba/clusterdata",
		Files: []File{
			{"pod_gpu_duty_cycle_anon.tar.gz", alibaba + "cluster-trace-v2026-GenAI/pod_gpu_duty_cycle_anon.tar.gz", "c4070218189b2811995c30dd9fefb8a793a83a54dccebe7b41cab2d123916855", 832148},
			{"pod_gpu_memory_used_bytes_anon.tar.gz", alibaba + "cluster-trace-v2026-GenAI/pod_gpu_memory_used_bytes_anon.tar.gz", "662be431f2d24a003c3a0b28383155fccceefb7e83dea14f912166edc9129132", 1144101},
			{"pod_memory_util_anon.tar.gz", alibaba + "cluster-trace-v2026-GenAI/pod_memory_util_anon.tar.gz", "0ccfb52821432dd6eed546ae772299c9c9fa9bbed952eb44953c41564afcfa7c", 2811608},
			{"qps.tar.gz", alibaba + "cluster-trace-v2026-GenAI/qps.tar.gz", "6bd1a21e3f916740df1e768fc43346148f1598b15fcc68c658a8faf1f87461c6", 119651},
			{"queue_size_raw_anon.tar.gz", alibaba + "cluster-trace-v2026-GenAI/queue_size_raw_anon.tar.gz", "585499916ed94900921e72c01213a618cad52443fc3f20f1e0e7ad4c4bb11798", 4863},
		},
	},
	{
		Name: "swf-pwa", What: "logs of parallel machines in the Standard Workload Format: MetaCentrum",
		Licence: "with acknowledgement", Cite: "acknowledge MetaCentrum and the Parallel Workloads Archive",
		Format: "swf",
		ByHand: "NASA iPSC, LCG and many more: www.cs.huji.ac.il/labs/parallel/workload",
		Files: []File{
			{"MetaCentrum-wagap-2013.swf", github + "aleasimulator/alea/952b600d57cf1cdb11b88ecfca897691ce860b47/Alea/data-set/wagap-2013.swf", "bf5c1cc69915f2d5d26c579f69e206513ceff9bd60e6c4b112182da0c6183ed7", 2418846},
			{"MetaCentrum-wagap-2013.swf.machines", github + "aleasimulator/alea/952b600d57cf1cdb11b88ecfca897691ce860b47/Alea/data-set/wagap-2013.swf.machines", "ffa1b0338b9e826a04993dc00acff1003743c56ea171a64d0e5febc7687b3674", 52},
		},
	},
	{
		Name: "simkube", What: "SimKube, recordings of small Kubernetes clusters",
		Licence: "MIT", Cite: "github.com/acrlabs/simkube",
		Files: []File{
			{"bare-pods.sktrace", github + "acrlabs/simkube/4ff51242e0e368f60c916caa38fb4d4ab5c31f0a/examples/traces/bare-pods.sktrace", "4cb094ac7e0b8fd3fc45514a31cda4057a9b676e91d4c0314c6853a6dd973c39", 5302},
			{"cronjob.sktrace", github + "acrlabs/simkube/4ff51242e0e368f60c916caa38fb4d4ab5c31f0a/examples/traces/cronjob.sktrace", "853666dbe8db6ca7c6dc8a6120279b7a0804b5265708083a70223ee7b5af1ea7", 1620},
			{"dsb-scaling.sktrace", github + "acrlabs/simkube/4ff51242e0e368f60c916caa38fb4d4ab5c31f0a/examples/traces/dsb-scaling.sktrace", "9ae910256a7f0fe1815f13ab1638c499b9938e2005c9b36ef0a5fea160bd9326", 67327},
		},
	},
	{
		Name: "opendc", What: "OpenDC, workloads of SURF and Bitbrains, and recorded failures",
		Licence: "MIT", Cite: "Mastenbroek et al., CCGrid 2021",
		Format: "opendc",
		ByHand: "the demos of github.com/atlarge-research/opendc",
	},
	{
		Name: "alibaba-pai-gpu-v2020", What: "Alibaba PAI, jobs and machines with GPUs",
		Licence: "CC-BY-4.0", Cite: "Weng et al., USENIX NSDI 2022",
		ByHand: "github.com/alibaba/clusterdata, cluster-trace-gpu-v2020",
	},
	{
		Name: "helios-2020", What: "SenseTime Helios, jobs on GPUs, 6 months",
		Licence: "CC-BY-4.0", Cite: "Hu et al., SC 2021",
		ByHand: "github.com/S-Lab-System-Group/HeliosData",
	},
	{
		Name: "bytedance-microservice-2022", What: "ByteDance, services and machines at a moment",
		Licence: "Apache-2.0", Cite: "github.com/bytedance/research-cluster-dataset",
		ByHand: "github.com/bytedance/research-cluster-dataset",
	},
	{
		Name: "k8s-pod-memory-2022", What: "memory of Kubernetes pods, 4 hours",
		Licence: "Apache-2.0", Cite: "github.com/elchead/k8s-cluster-simulator",
		ByHand: "github.com/elchead/k8s-cluster-simulator",
	},
	{
		Name: "datacenter-aggregates", What: "use of whole data centres over time",
		Licence: "CC-BY-4.0", Cite: "Zenodo 10.5281/zenodo.14564847",
		ByHand: "github.com/alejandrofdez-us/DataCenter-Traces-Datasets",
	},
}
